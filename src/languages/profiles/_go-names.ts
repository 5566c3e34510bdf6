import type { SyntaxTree } from "../_tree.js";
import {
  ATTRIBUTE,
  CLASS,
  define,
  FUNCTION,
  MEMBER,
  MEMBERS,
  METHOD,
  TYPE,
  TYPES,
  USE,
  USE_EITHER,
  VARIABLE,
  type Role,
  type Visit,
} from "../_roles.js";

/** Names of Go. Members of imported packages (`strings.Split`) stay, whatever the file defines. */
export function goNames(tree: SyntaxTree, visit: Visit): void {
  const packages = importedPackages(tree);
  const types = declaredTypes(tree);
  for (let node = 0; node < tree.size; node++) {
    const role = isEmbedded(tree, node) && types.has(tree.slice(node)) ? EMBEDDED : roleOf(tree, node, packages);
    if (role !== undefined) visit(tree.start(node), tree.end(node), role);
  }
}

function roleOf(tree: SyntaxTree, node: number, packages: ReadonlySet<string>): Role | undefined {
  const parent = tree.parent(node);
  const field = tree.field(node);
  switch (tree.kind(node)) {
    case "identifier":
      return plainRole(tree, node, parent, field);
    case "field_identifier":
      switch (tree.parentKind(node)) {
        case "field_declaration":
          return ATTRIBUTE;
        case "method_declaration":
        case "method_elem":
          return METHOD;
        default: {
          const operand = tree.childByField(parent, "operand");
          const isForeign = operand >= 0 && tree.kind(operand) === "identifier" && packages.has(tree.slice(operand));
          return isForeign ? undefined : MEMBER;
        }
      }
    case "type_identifier":
      switch (tree.parentKind(node)) {
        case "type_spec":
        case "type_alias":
          return field === "name" ? CLASS : TYPE;
        case "qualified_type":
          return undefined;
        default:
          return TYPE;
      }
    case "package_identifier":
      if (tree.parentKind(node) === "import_spec") return VARIABLE;
      return tree.parentKind(node) === "qualified_type" ? USE : undefined;
    default:
      return undefined;
  }
}

function plainRole(tree: SyntaxTree, node: number, parent: number, field: string | undefined): Role {
  switch (tree.parentKind(node)) {
    case "function_declaration":
      return field === "name" ? FUNCTION : USE;
    case "parameter_declaration":
    case "variadic_parameter_declaration":
    case "var_spec":
    case "const_spec":
      return field === "name" ? VARIABLE : USE;
    case "type_parameter_declaration":
      return field === "name" ? CLASS : USE;
    case "expression_list":
      return listRole(tree, parent);
    case "literal_element":
      return tree.field(parent) === "key" ? keyRole(tree, parent) : USE;
    default:
      return USE;
  }
}

/** `a, b := ...`, `for k, v := range m`, `switch x := y.(type)`, `case v := <-ch`. */
function listRole(tree: SyntaxTree, list: number): Role {
  const statement = tree.parent(list);
  switch (tree.parentKind(list)) {
    case "short_var_declaration": {
      if (tree.field(list) !== "left") return USE;
      const right = tree.childByField(statement, "right");
      const isFunction = tree.last(list) === list + 2 && right >= 0 && tree.kind(right + 1) === "func_literal";
      return isFunction ? FUNCTION : VARIABLE;
    }
    case "range_clause":
    case "receive_statement":
      return tree.field(list) === "left" && tree.childOfKind(statement, ":=") >= 0 ? VARIABLE : USE;
    case "type_switch_statement":
      return tree.field(list) === "alias" ? VARIABLE : USE;
    default:
      return USE;
  }
}

/** A key of a composite literal: a field of a struct, but a plain name in a map. Without a type it may be either. */
function keyRole(tree: SyntaxTree, element: number): Role {
  const literal = tree.parent(tree.parent(tree.parent(element)));
  if (literal < 0 || tree.kind(literal) !== "composite_literal") return USE_EITHER;
  const type = tree.childByField(literal, "type");
  return type >= 0 && /^(?:map|array|slice|implicit_length_array)_type$/.test(tree.kind(type)) ? USE : MEMBER;
}

/** `struct { *Base }`: a field under the type's own name. */
const EMBEDDED = define("class", TYPES | MEMBERS);

function isEmbedded(tree: SyntaxTree, node: number): boolean {
  if (tree.kind(node) !== "type_identifier" || tree.field(node) !== "type") return false;
  let at = node;
  while (tree.parentKind(at) === "generic_type" && tree.field(at) === "type") at = tree.parent(at);
  return tree.parentKind(at) === "field_declaration" && tree.childByField(tree.parent(at), "name") < 0;
}

/** The types that the file declares. One declared elsewhere keeps its name, and so does the field that embeds it. */
function declaredTypes(tree: SyntaxTree): ReadonlySet<string> {
  const types = new Set<string>();
  for (let node = 0; node < tree.size; node++) {
    if (tree.kind(node) !== "type_identifier" || tree.field(node) !== "name") continue;
    if (/^type_(?:spec|alias)$/.test(tree.parentKind(node))) types.add(tree.slice(node));
  }
  return types;
}

/** The names under which other packages are visible. */
function importedPackages(tree: SyntaxTree): ReadonlySet<string> {
  const packages = new Set<string>();
  for (let node = 0; node < tree.size; node++) {
    if (tree.kind(node) !== "import_spec") continue;
    const name = tree.childByField(node, "name");
    const path = tree.slice(tree.childByField(node, "path")).replace(/["`]/g, "");
    if (name >= 0) packages.add(tree.slice(name));
    // `gopkg.in/yaml.v3` and `example.org/tool/v2` are packages `yaml` and `tool`.
    else packages.add(/([^/]*?)(?:\.v\d+)?(?:\/v\d+)?$/.exec(path)![1]!.replace(/^go-|-go$|\.go$/g, ""));
  }
  return packages;
}
