import type { SyntaxTree } from "../_tree.js";
import {
  ATTRIBUTE,
  CLASS,
  FUNCTION,
  INNER_CLASS,
  MEMBER,
  METHOD,
  PARAMETER,
  define,
  MEMBERS,
  PLAIN,
  USE_EITHER as USE,
  VARIABLE,
  type Role,
  type Visit,
} from "../_roles.js";

/** Names of C#: every one is an `identifier` (a lambda's lone parameter has a kind of its own). */
export function csharpNames(tree: SyntaxTree, visit: Visit): void {
  for (let node = 0; node < tree.size; node++) {
    const kind = tree.kind(node);
    if (kind !== "identifier" && !(kind === "implicit_parameter" && tree.isLeaf(node))) continue;
    const role = kind === "identifier" ? roleOf(tree, node) : VARIABLE;
    const mark = tree.text.charCodeAt(tree.start(node)) === 64 ? 1 : 0; // `@class` is the name `class`.
    if (role !== undefined) visit(tree.start(node) + mark, tree.end(node), role);
  }
}

const CLASSES: ReadonlySet<string> = new Set([
  "class_declaration",
  "struct_declaration",
  "interface_declaration",
  "record_declaration",
]);

function roleOf(tree: SyntaxTree, node: number): Role | undefined {
  const parent = tree.parent(node);
  const field = tree.field(node);
  const named = field === "name";
  switch (tree.parentKind(node)) {
    case "class_declaration":
    case "struct_declaration":
    case "interface_declaration":
    case "record_declaration":
    case "enum_declaration":
    case "delegate_declaration":
      if (!named) return USE;
      return tree.ancestor(parent, CLASSES) >= 0 ? INNER_CLASS : CLASS;
    case "method_declaration":
      return named ? METHOD : USE;
    case "local_function_statement":
      return named ? FUNCTION : USE;
    case "property_declaration":
    case "event_declaration":
    case "enum_member_declaration":
    case "tuple_element":
      return named ? ATTRIBUTE : USE;
    case "variable_declarator":
      if (!named) return USE;
      return isField(tree, parent) ? ATTRIBUTE : VARIABLE;
    case "parameter":
    case "parameter_list":
    case "bracketed_parameter_list":
      if (!named) return USE;
      return isRecordParameter(tree, parent) ? define("attribute", PLAIN | MEMBERS) : PARAMETER;
    case "type_parameter":
      return named ? CLASS : USE;
    case "catch_declaration":
    case "declaration_expression":
    case "declaration_pattern":
    case "recursive_pattern":
    case "var_pattern":
    case "list_pattern":
    case "tuple_pattern":
    case "parenthesized_variable_designation":
    case "from_clause":
      return named ? VARIABLE : USE;
    case "foreach_statement":
      return field === "left" && tree.childByField(parent, "type") >= 0 ? VARIABLE : USE;
    case "let_clause":
    case "join_clause":
    case "join_into_clause":
      return isFirstIdentifier(tree, parent, node) ? VARIABLE : USE;
    case "member_access_expression":
    case "member_binding_expression":
      return named ? MEMBER : USE;
    case "generic_name":
      return genericRole(tree, parent);
    case "qualified_name":
      return qualifiedRole(tree, parent, named);
    case "using_directive":
      return named ? CLASS : undefined;
    case "argument":
      if (named && tree.parentKind(parent) === "tuple_expression") return ATTRIBUTE; // (Left: 1, Right: 2)
      return named ? { role: "keyword", callee: calleeOf(tree, parent) } : USE;
    case "attribute_argument":
      return named ? { role: "keyword", callee: calleeOf(tree, parent) } : USE;
    case "assignment_expression":
      return field === "left" && tree.parentKind(parent) === "initializer_expression" ? MEMBER : contextual(tree, node);
    case "with_initializer":
      return tree.previous(node) < 0 ? MEMBER : USE;
    case "anonymous_object_creation_expression":
      return tree.next(node) >= 0 && tree.kind(tree.next(node)) === "=" ? ATTRIBUTE : USE;
    case "subpattern":
      return tree.previous(node) < 0 && tree.next(node) >= 0 ? MEMBER : USE;
    case "namespace_declaration":
    case "file_scoped_namespace_declaration":
    case "extern_alias_directive":
    case "labeled_statement":
    case "goto_statement":
    case "preproc_pragma":
      return undefined;
    default:
      return contextual(tree, node);
  }
}

const ACCESSORS: ReadonlySet<string> = new Set(["accessor_declaration"]);

/** In a setter, `value` is the language's word. */
function contextual(tree: SyntaxTree, node: number): Role | undefined {
  return tree.slice(node) === "value" && tree.ancestor(node, ACCESSORS) >= 0 ? undefined : USE;
}

function isField(tree: SyntaxTree, declarator: number): boolean {
  return /^(?:event_)?field_declaration$/.test(tree.parentKind(tree.parent(declarator)));
}

/** `record Point(int X)` declares a property. */
function isRecordParameter(tree: SyntaxTree, parameter: number): boolean {
  const list = tree.parent(parameter);
  return tree.kind(parameter) === "parameter" && tree.parentKind(list) === "record_declaration";
}

function isFirstIdentifier(tree: SyntaxTree, clause: number, node: number): boolean {
  return tree.childOfKind(clause, "identifier") === node;
}

/** `Foo<int>` stands where `Foo` would. */
function genericRole(tree: SyntaxTree, generic: number): Role | undefined {
  switch (tree.parentKind(generic)) {
    case "member_access_expression":
    case "member_binding_expression":
      return tree.field(generic) === "name" ? MEMBER : USE;
    case "qualified_name":
      return qualifiedRole(tree, tree.parent(generic), tree.field(generic) === "name");
    default:
      return USE;
  }
}

/** `A.B` as a type; in `using A.B;` and `namespace A.B` the parts are nobody's names. */
function qualifiedRole(tree: SyntaxTree, qualified: number, isLast: boolean): Role | undefined {
  let outer = qualified;
  while (tree.parentKind(outer) === "qualified_name") outer = tree.parent(outer);
  if (/^(?:using_directive|namespace_declaration|file_scoped_namespace_declaration)$/.test(tree.parentKind(outer))) {
    return undefined;
  }
  return isLast ? MEMBER : USE;
}

/** The class that `: this(...)` or `: base(...)` constructs. */
function initialised(tree: SyntaxTree, initializer: number): string | undefined {
  const owner = tree.ancestor(initializer, CLASSES);
  if (owner < 0) return undefined;
  if (tree.childOfKind(initializer, "this") >= 0) return tree.slice(tree.childByField(owner, "name"));
  const bases = tree.childOfKind(owner, "base_list");
  if (bases < 0) return undefined;
  for (const base of tree.children(bases)) if (tree.kind(base) !== ":") return tree.slice(base).replace(/<[^]*$/, "");
  return undefined;
}

function calleeOf(tree: SyntaxTree, argument: number): string | undefined {
  const call = tree.parent(tree.parent(argument));
  if (call < 0) return undefined;
  if (tree.kind(call) === "constructor_initializer") return initialised(tree, call);
  for (const field of ["function", "type", "name"]) {
    const callee = tree.childByField(call, field);
    if (callee < 0) continue;
    const member = tree.childByField(callee, "name");
    return tree.slice(member >= 0 ? member : callee).replace(/<.*$/, "");
  }
  return undefined;
}
