import type { SyntaxTree } from "../_tree.js";
import {
  ATTRIBUTE,
  CLASS,
  define,
  IMPORT,
  INNER_CLASS,
  MEMBER,
  MEMBERS,
  METHODS,
  PARAMETER,
  PLAIN,
  TYPE,
  TYPES,
  use,
  VARIABLE,
  type Role,
  type Visit,
} from "../_roles.js";

/** Fields are named without a receiver. */
const USE = use(PLAIN | MEMBERS);
const METHOD = define("function", METHODS);
const CALL = use(METHODS);

/** Names of Java. */
export function javaNames(tree: SyntaxTree, visit: Visit): void {
  for (let node = 0; node < tree.size; node++) {
    const kind = tree.kind(node);
    if (kind !== "identifier" && kind !== "type_identifier") continue;
    const role = kind === "identifier" ? plainRole(tree, node) : typeRole(tree, node);
    if (role !== undefined) visit(tree.start(node), tree.end(node), role);
  }
}

const CLASSES: ReadonlySet<string> = new Set([
  "class_declaration",
  "interface_declaration",
  "enum_declaration",
  "record_declaration",
  "annotation_type_declaration",
]);

function plainRole(tree: SyntaxTree, node: number): Role | undefined {
  const parent = tree.parent(node);
  const field = tree.field(node);
  switch (tree.parentKind(node)) {
    case "class_declaration":
    case "interface_declaration":
    case "enum_declaration":
    case "record_declaration":
    case "annotation_type_declaration":
      if (field !== "name") return USE;
      return tree.ancestor(parent, CLASSES) >= 0 ? INNER_CLASS : CLASS;
    case "method_declaration":
    case "annotation_type_element_declaration":
      return field === "name" ? METHOD : USE;
    case "formal_parameter":
      return field !== "name" ? USE : isRecordComponent(tree, parent) ? COMPONENT : PARAMETER;
    case "catch_formal_parameter":
    case "enhanced_for_statement":
    case "instanceof_expression":
    case "resource":
      return field === "name" ? VARIABLE : USE;
    case "lambda_expression":
      return field === "parameters" ? VARIABLE : USE;
    case "inferred_parameters":
    case "type_pattern":
    case "record_pattern_component":
      return VARIABLE;
    case "variable_declarator":
      return field === "name" ? declaratorRole(tree, parent) : USE;
    case "enum_constant":
      return field === "name" ? ATTRIBUTE : USE;
    case "field_access":
      return field === "field" ? MEMBER : USE;
    case "method_invocation":
      return field === "name" ? CALL : USE;
    case "method_reference":
      return node === parent + 1 ? USE : CALL;
    case "element_value_pair":
      return field === "key" ? { role: "keyword", callee: annotationOf(tree, parent) } : USE;
    case "scoped_identifier":
      return scopedRole(tree, node);
    case "import_declaration":
    case "package_declaration":
    case "module_declaration":
    case "labeled_statement":
    case "break_statement":
    case "continue_statement":
      return undefined;
    default:
      return USE;
  }
}

/** `record Point(int x)`: a field, an accessor and a parameter in one. */
const COMPONENT = define("attribute", PLAIN | MEMBERS | METHODS);

function isRecordComponent(tree: SyntaxTree, parameter: number): boolean {
  return tree.parentKind(tree.parent(parameter)) === "record_declaration";
}

function declaratorRole(tree: SyntaxTree, declarator: number): Role {
  switch (tree.parentKind(declarator)) {
    case "field_declaration":
    case "constant_declaration":
      return ATTRIBUTE;
    case "spread_parameter":
      return PARAMETER;
    default:
      return VARIABLE;
  }
}

/** `import a.b.Foo` brings `Foo`; the packages before it are nobody's names. */
function scopedRole(tree: SyntaxTree, node: number): Role | undefined {
  let outer = tree.parent(node);
  const isLast = tree.field(node) === "name";
  while (tree.parentKind(outer) === "scoped_identifier") outer = tree.parent(outer);
  const statement = tree.parent(outer);
  switch (tree.parentKind(outer)) {
    case "import_declaration":
      if (isOwnType(tree, node)) return TYPE; // A file may import its own nested classes.
      return isLast && tree.parent(node) === outer && tree.childOfKind(statement, "asterisk") < 0 ? IMPORT : undefined;
    case "package_declaration":
    case "module_declaration":
    case "exports_module_directive":
    case "opens_module_directive":
    case "requires_module_directive":
    case "uses_module_directive":
    case "provides_module_directive":
      return undefined;
    default:
      return isLast ? MEMBER : USE;
  }
}

/** True for `Outer` and `Inner` of `import a.b.Outer.Inner` in the file that declares `Outer`. */
function isOwnType(tree: SyntaxTree, node: number): boolean {
  if (declares(tree, tree.slice(node))) return true;
  const scope = tree.childByField(tree.parent(node), "scope");
  return scope >= 0 && node !== scope && declares(tree, tree.slice(scope).replace(/^.*\./s, ""));
}

/** Whether a class of that name stands at the top of the file. */
function declares(tree: SyntaxTree, name: string): boolean {
  for (const child of tree.children(0)) {
    if (CLASSES.has(tree.kind(child)) && tree.slice(tree.childByField(child, "name")) === name) return true;
  }
  return false;
}

function annotationOf(tree: SyntaxTree, pair: number): string | undefined {
  const annotation = tree.parent(tree.parent(pair));
  const name = annotation < 0 ? -1 : tree.childByField(annotation, "name");
  return name < 0 ? undefined : tree.slice(name);
}

function typeRole(tree: SyntaxTree, node: number): Role {
  const parent = tree.parent(node);
  if (tree.parentKind(node) === "type_parameter") return CLASS;
  if (tree.parentKind(node) === "scoped_type_identifier" && node !== parent + 1) return use(MEMBERS | TYPES);
  return TYPE;
}
