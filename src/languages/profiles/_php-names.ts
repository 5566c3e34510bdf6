import type { SyntaxTree } from "../_tree.js";
import {
  ATTRIBUTE,
  CLASS,
  FUNCTION,
  IMPORT,
  MEMBER,
  METHOD,
  OWN_ATTRIBUTE,
  MARKED,
  MEMBERS,
  define,
  use,
  USE,
  VARIABLE,
  type Role,
  type Visit,
} from "../_roles.js";

/** Names of PHP: `name` nodes, of which variables hold one behind their `$`. */
export function phpNames(tree: SyntaxTree, visit: Visit): void {
  for (let node = 0; node < tree.size; node++) {
    if (tree.kind(node) !== "name") continue;
    const parent = tree.parent(node);
    const isVariable = tree.parentKind(node) === "variable_name";
    const role = isVariable ? variableRole(tree, parent, tree.slice(node)) : nameRole(tree, node, parent);
    if (role !== undefined) visit(tree.start(node), tree.end(node), role);
  }
}

/** Variables are told from everything else by their `$`. */
const SEEN = use(MARKED);
const SET = define("variable", MARKED);
const SET_FUNCTION = define("function", MARKED);
const PHP_PARAMETER: Role = { role: "define", kind: "variable", spaces: MARKED, parameter: true };

/** The role of `$text`. */
function variableRole(tree: SyntaxTree, variable: number, text: string): Role | undefined {
  if (text === "this" || /^(?:_[A-Z]+|GLOBALS|argc|argv|php_errormsg|http_response_header)$/.test(text))
    return undefined;
  const field = tree.field(variable);
  switch (tree.parentKind(variable)) {
    case "property_element":
      return field === "name" || tree.previous(variable) < 0 ? ATTRIBUTE : SEEN;
    case "scoped_property_access_expression":
      return field === "name" ? MEMBER : SEEN;
    case "member_access_expression":
    case "nullsafe_member_access_expression":
    case "member_call_expression":
      return SEEN; // `$object->$name` looks the name up in a variable.
    case "simple_parameter":
    case "variadic_parameter":
      return field === "name" ? PHP_PARAMETER : SEEN;
    case "property_promotion_parameter":
      return field === "name" ? PROMOTED : SEEN;
    case "catch_clause":
    case "static_variable_declaration":
      return field === "name" ? SET : SEEN;
    default:
      return targetRole(tree, variable);
  }
}

/** `__construct(private int $size)` declares a property as well. */
const PROMOTED: Role = { role: "define", kind: "variable", spaces: MARKED | MEMBERS, parameter: true };

/** Targets of assignments and loops, through lists and references. */
function targetRole(tree: SyntaxTree, variable: number): Role {
  let at = variable;
  for (;;) {
    const parent = tree.parent(at);
    switch (tree.parentKind(at)) {
      case "list_literal":
      case "array_element_initializer":
      case "array_creation_expression":
      case "by_ref":
        break;
      case "pair":
        if (tree.parentKind(parent) !== "foreach_statement") return SEEN;
        break;
      case "property_promotion_parameter":
        return PROMOTED;
      case "assignment_expression":
      case "reference_assignment_expression": {
        if (tree.field(at) !== "left") return SEEN;
        const value = tree.childByField(parent, "right");
        return value >= 0 && /^(?:anonymous|arrow)_function$/.test(tree.kind(value)) ? SET_FUNCTION : SET;
      }
      case "augmented_assignment_expression":
        return tree.field(at) === "left" && /\?\?=/.test(tree.slice(parent)) ? SET : SEEN;
      case "foreach_statement":
        return afterAs(tree, parent, at) ? SET : SEEN;
      default:
        return SEEN;
    }
    at = parent;
  }
}

function afterAs(tree: SyntaxTree, statement: number, node: number): boolean {
  const as = tree.childOfKind(statement, "as");
  return as >= 0 && as < node;
}

function nameRole(tree: SyntaxTree, node: number, parent: number): Role | undefined {
  const field = tree.field(node);
  switch (tree.parentKind(node)) {
    case "class_declaration":
    case "interface_declaration":
    case "trait_declaration":
    case "enum_declaration":
      return field === "name" ? CLASS : USE;
    case "function_definition":
      return field === "name" ? FUNCTION : USE;
    case "method_declaration":
      return field === "name" ? METHOD : USE;
    case "const_element":
      if (tree.previous(node) >= 0) return USE;
      return tree.ancestor(node, CLASS_BODIES) >= 0 ? ATTRIBUTE : VARIABLE;
    case "enum_case":
      return field === "name" ? ATTRIBUTE : USE;
    case "member_access_expression":
    case "nullsafe_member_access_expression":
      if (field !== "name") return USE;
      return isAssigned(tree, parent) && tree.slice(tree.childByField(parent, "object")) === "$this"
        ? OWN_ATTRIBUTE
        : MEMBER;
    case "member_call_expression":
    case "nullsafe_member_call_expression":
    case "scoped_call_expression":
      return field === "name" ? MEMBER : USE;
    case "class_constant_access_expression":
      return tree.previous(node) >= 0 ? MEMBER : USE;
    case "namespace_use_clause":
      if (field === "alias") return aliasRole(tree, parent);
      return tree.childByField(parent, "alias") < 0 ? IMPORT : undefined;
    case "qualified_name":
      return qualifiedRole(tree, parent);
    case "argument":
      return field === "name" ? { role: "keyword", callee: calleeOf(tree, parent) } : USE;
    case "use_as_clause":
      return tree.next(node) < 0 ? METHOD : MEMBER; // `named as other` gives the class a method.
    case "use_instead_of_clause":
      return tree.next(node) < 0 ? USE : MEMBER;
    case "dynamic_variable_name":
      return SEEN; // "${row}" is $row
    case "subscript_expression":
      return tree.parentKind(parent) === "dynamic_variable_name" && tree.previous(node) < 0 ? SEEN : USE;
    case "namespace_name":
    case "namespace_definition":
    case "named_label_statement":
    case "goto_statement":
    case "property_hook":
      return undefined;
    default:
      return USE;
  }
}

const CLASS_BODIES: ReadonlySet<string> = new Set(["declaration_list", "enum_declaration_list"]);

function isAssigned(tree: SyntaxTree, expression: number): boolean {
  return tree.parentKind(expression) === "assignment_expression" && tree.field(expression) === "left";
}

/** `use A\B;` brings `B`; any other qualified name stands in its own namespace. */
function qualifiedRole(tree: SyntaxTree, qualified: number): Role | undefined {
  const clause = tree.parent(qualified);
  if (tree.kind(clause) !== "namespace_use_clause") return undefined;
  return tree.childByField(clause, "alias") < 0 ? IMPORT : undefined;
}

/** `use function a as b` brings a function, `use const` a constant, plain `use` a class. */
function aliasRole(tree: SyntaxTree, clause: number): Role {
  for (let at = clause; at >= 0; at = tree.parent(at)) {
    const type = tree.childByField(at, "type");
    if (type >= 0) return tree.kind(type) === "function" ? FUNCTION : VARIABLE;
    if (tree.kind(at) === "namespace_use_declaration") break;
  }
  return CLASS;
}

function calleeOf(tree: SyntaxTree, argument: number): string | undefined {
  const call = tree.parent(tree.parent(argument));
  if (call < 0) return undefined;
  const field = tree.childByField(call, "function");
  const callee = field >= 0 ? field : tree.childByField(call, "name");
  if (callee >= 0) return tree.slice(callee).replace(/^namespace\\/, "");
  const type = tree.childOfKind(call, "name"); // new Foo(size: 1)
  return type < 0 ? undefined : tree.slice(type);
}
