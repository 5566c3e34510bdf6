import type { SyntaxTree } from "../_tree.js";
import {
  ATTRIBUTE,
  CLASS,
  FUNCTION,
  IMPORT,
  INNER_CLASS,
  MEMBER,
  METHOD,
  define,
  MEMBERS,
  PLAIN,
  TYPE,
  TYPES,
  use,
  OWN_ATTRIBUTE,
  PARAMETER,
  USE,
  USE_EITHER,
  VARIABLE,
  type Role,
  type Visit,
} from "../_roles.js";

/** Names of JavaScript and TypeScript: the grammars share their node kinds. */
export function scriptNames(tree: SyntaxTree, visit: Visit): void {
  for (let node = 0; node < tree.size; node++) {
    const role = roleOf(tree, node);
    if (role === undefined) continue;
    const mark = tree.kind(node) === "private_property_identifier" ? 1 : 0; // `#name`
    visit(tree.start(node) + mark, tree.end(node), role);
  }
}

function roleOf(tree: SyntaxTree, node: number): Role | undefined {
  switch (tree.kind(node)) {
    case "identifier":
      return plainRole(tree, node);
    case "property_identifier":
    case "private_property_identifier":
      return LANGUAGE_OWN.has(tree.slice(node)) ? undefined : memberRole(tree, node);
    case "shorthand_property_identifier":
      return USE;
    case "shorthand_property_identifier_pattern":
      return patternRole(tree, node);
    case "type_identifier":
      return typeRole(tree, node);
    default:
      return undefined;
  }
}

/** Members that the language itself gives a meaning. */
const LANGUAGE_OWN: ReadonlySet<string> = new Set(["constructor", "prototype", "exports", "__proto__"]);
const FUNCTIONS: ReadonlySet<string> = new Set(["function_expression", "arrow_function", "generator_function"]);

function plainRole(tree: SyntaxTree, node: number): Role | undefined {
  const parent = tree.parent(node);
  const field = tree.field(node);
  switch (tree.parentKind(node)) {
    case "function_declaration":
    case "generator_function_declaration":
    case "function_expression":
    case "generator_function":
    case "function_signature":
      return field === "name" ? FUNCTION : USE;
    case "class_declaration":
    case "class":
    case "enum_declaration":
    case "internal_module":
    case "module":
      return field === "name" ? CLASS : USE;
    case "import_specifier":
      if (field === "alias") return importsType(tree, parent) ? CLASS : ALIAS;
      return tree.childByField(parent, "alias") < 0 ? IMPORT : undefined;
    case "namespace_import":
      return ALIAS;
    case "import_clause":
    case "import_require_clause":
      return IMPORT;
    case "export_specifier":
      // `export { a as b }` gives other files a name, which is ours only if the file also has a `b`.
      return tree.childByField(tree.parent(tree.parent(parent)), "source") >= 0 ? undefined : TYPE_OR_VALUE;
    case "namespace_export":
    case "jsx_namespace_name":
      return undefined;
    case "index_signature":
      return field === "name" ? VARIABLE : USE;
    default: {
      const role = patternRole(tree, node);
      return role === USE && tree.ancestor(node, ENUMS) >= 0 ? USE_EITHER : role;
    }
  }
}

/** An export list does not say which it is. */
const TYPE_OR_VALUE = use(PLAIN | TYPES);

/** Members of an enumeration see each other by their plain names. */
const ENUMS: ReadonlySet<string> = new Set(["enum_body"]);

/** `import { a as b }`: what `b` is stands in the other file. */
const ALIAS = define("variable", PLAIN | TYPES);

/** `import type { A as B }`, `import { type A as B }` */
function importsType(tree: SyntaxTree, specifier: number): boolean {
  const statement = tree.ancestor(specifier, IMPORTS);
  return tree.childOfKind(specifier, "type") >= 0 || (statement >= 0 && tree.childOfKind(statement, "type") >= 0);
}
const IMPORTS: ReadonlySet<string> = new Set(["import_statement"]);

/** Follows destructuring outwards to what it binds, or to a plain assignment, which binds nothing new. */
function patternRole(tree: SyntaxTree, node: number): Role {
  let at = node;
  for (;;) {
    const parent = tree.parent(at);
    const field = tree.field(at);
    switch (tree.parentKind(at)) {
      case "assignment_pattern":
      case "object_assignment_pattern":
        if (field !== "left") return USE;
        break;
      case "pair_pattern":
        if (field !== "value") return USE;
        break;
      case "array_pattern":
      case "object_pattern":
      case "rest_pattern":
        break;
      case "required_parameter":
      case "optional_parameter":
        if (field !== "pattern" && field !== "name" && tree.kind(at) !== "rest_pattern") return USE;
        return isParameterProperty(tree, parent) ? define("variable", PLAIN | MEMBERS) : PARAMETER;
      case "formal_parameters":
        return PARAMETER;
      case "arrow_function":
        return field === "parameter" ? PARAMETER : USE;
      case "catch_clause":
        return field === "parameter" ? VARIABLE : USE;
      case "for_in_statement":
        return field === "left" && tree.childByField(parent, "kind") >= 0 ? VARIABLE : USE;
      case "variable_declarator":
        return field === "name" ? boundTo(tree, at, tree.childByField(parent, "value"), VARIABLE) : USE;
      default:
        return USE;
    }
    at = parent;
  }
}

/** A variable that holds a function is a function's name; likewise classes. */
function boundTo(tree: SyntaxTree, target: number, value: number, otherwise: Role): Role {
  if (value < 0 || tree.kind(target) !== "identifier") return otherwise;
  if (FUNCTIONS.has(tree.kind(value))) return FUNCTION;
  return tree.kind(value) === "class" ? CLASS : otherwise;
}

/** TypeScript: `constructor(private size: number)` declares a field as well. */
function isParameterProperty(tree: SyntaxTree, parameter: number): boolean {
  return tree.childOfKind(parameter, "accessibility_modifier", "readonly", "override_modifier") >= 0;
}

function memberRole(tree: SyntaxTree, node: number): Role | undefined {
  const parent = tree.parent(node);
  switch (tree.parentKind(node)) {
    case "method_definition":
    case "method_signature":
    case "abstract_method_signature":
      return METHOD;
    case "field_definition":
    case "public_field_definition":
      return FUNCTIONS.has(kindOf(tree, tree.childByField(parent, "value"))) ? METHOD : ATTRIBUTE;
    case "property_signature":
    case "enum_body":
    case "enum_assignment":
      return ATTRIBUTE;
    case "pair":
      if (FUNCTIONS.has(kindOf(tree, tree.childByField(parent, "value")))) return METHOD;
      return optionRole(tree, tree.parent(parent));
    case "member_expression":
      return memberExpressionRole(tree, parent);
    case "jsx_attribute":
      return { role: "keyword", callee: componentOf(tree, parent) };
    default:
      return MEMBER;
  }
}

function memberExpressionRole(tree: SyntaxTree, expression: number): Role {
  const target = assignedPattern(tree, expression);
  const assignment = tree.parent(target);
  if (tree.parentKind(target) !== "assignment_expression" || tree.field(target) !== "left") return MEMBER;
  const value = target === expression ? kindOf(tree, tree.childByField(assignment, "right")) : "";
  if (FUNCTIONS.has(value)) return METHOD;
  if (value === "class") return define("class", MEMBERS);
  const receiver = tree.childByField(expression, "object");
  const text = tree.slice(receiver);
  if (text === "this" || text === "exports" || text === "module.exports") return OWN_ATTRIBUTE;
  const owner = /^([\p{L}_$][\p{L}\p{N}_$]*)(?:\.prototype)?$/u.exec(text);
  return owner === null ? MEMBER : { role: "assign-member", receiver: owner[1] };
}

/** `<App title="x" />` hands `title` to `App`. */
function componentOf(tree: SyntaxTree, attribute: number): string | undefined {
  const name = tree.childByField(tree.parent(attribute), "name");
  return name < 0 ? undefined : tree.slice(name);
}

/** `[a.x, b.y] = ...`: the pattern that an expression is part of, or itself. */
function assignedPattern(tree: SyntaxTree, expression: number): number {
  let at = expression;
  for (;;) {
    const kind = tree.parentKind(at);
    const isPart =
      kind === "array_pattern" ||
      kind === "object_pattern" ||
      kind === "rest_pattern" ||
      (kind === "pair_pattern" && tree.field(at) === "value") ||
      (kind === "assignment_pattern" && tree.field(at) === "left");
    if (!isPart) return at;
    at = tree.parent(at);
  }
}

/**
 * A key of an object literal. In a call's arguments, also inside other literals, it belongs to the callee as keyword
 * arguments do: `area({ width: 1 })` names the parameter of `function area({ width })`.
 */
function optionRole(tree: SyntaxTree, object: number): Role {
  let at = object;
  while (["pair", "object", "array", "spread_element"].includes(tree.parentKind(at))) at = tree.parent(at);
  if (tree.parentKind(at) !== "arguments") return ATTRIBUTE;
  const call = tree.parent(tree.parent(at));
  const callee = ["function", "constructor"].map((field) => tree.childByField(call, field)).find((node) => node >= 0);
  if (at !== object || callee === undefined) return MEMBER;
  const member = tree.childByField(callee, "property");
  return { role: "keyword", callee: tree.slice(member >= 0 ? member : callee), spaces: MEMBERS };
}

function kindOf(tree: SyntaxTree, node: number): string {
  return node < 0 ? "" : tree.kind(node);
}

function typeRole(tree: SyntaxTree, node: number): Role {
  const named = tree.field(node) === "name";
  switch (tree.parentKind(node)) {
    case "class_declaration":
    case "abstract_class_declaration":
    case "class":
    case "interface_declaration":
    case "type_alias_declaration":
    case "type_parameter":
      return named ? inNamespace(tree, node) : TYPE;
    case "mapped_type_clause":
      return named ? CLASS : TYPE;
    case "infer_type":
      return tree.previous(node) >= 0 && tree.kind(tree.previous(node)) === "infer" ? CLASS : TYPE;
    case "nested_type_identifier":
      return named ? MEMBER : TYPE;
    default:
      return TYPE;
  }
}

/** A class inside `namespace A {}` is also `A.B`. */
function inNamespace(tree: SyntaxTree, node: number): Role {
  return tree.ancestor(node, NAMESPACES) >= 0 ? INNER_CLASS : CLASS;
}
const NAMESPACES: ReadonlySet<string> = new Set(["internal_module", "module"]);
