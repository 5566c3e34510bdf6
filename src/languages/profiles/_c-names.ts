import type { SyntaxTree } from "../_tree.js";
import {
  ATTRIBUTE,
  CLASS,
  define,
  FUNCTION,
  MEMBER,
  PARAMETER,
  PLAIN,
  TYPE,
  TYPES,
  use,
  USE,
  VARIABLE,
  type Role,
  type Visit,
} from "../_roles.js";

/** `struct list` has a name space of its own: a variable `list` does not rename it. */
const TAG = define("class", TYPES);

/** Names of C. A prototype or `extern` declares what stands elsewhere: it defines nothing. */
export function cNames(tree: SyntaxTree, visit: Visit): void {
  for (let node = 0; node < tree.size; node++) {
    const kind = tree.kind(node);
    if (kind === "preproc_arg") {
      macroNames(tree, node, visit);
      continue;
    }
    const role =
      kind === "identifier"
        ? plainRole(tree, node)
        : kind === "type_identifier"
          ? typeRole(tree, node)
          : kind === "field_identifier"
            ? fieldRole(tree, node)
            : undefined;
    if (role !== undefined) visit(tree.start(node), tree.end(node), role);
  }
}

function plainRole(tree: SyntaxTree, node: number): Role | undefined {
  const field = tree.field(node);
  switch (tree.parentKind(node)) {
    case "preproc_def":
      return field === "name" ? VARIABLE : USE;
    case "preproc_function_def":
      return field === "name" ? FUNCTION : USE;
    case "preproc_params":
      return VARIABLE;
    case "enumerator":
      return field === "name" ? VARIABLE : USE;
    case "attribute":
    case "ms_declspec_modifier":
    case "gnu_asm_goto_list":
      return undefined;
    case "parenthesized_expression": // sizeof(name): a variable or a type
      return tree.parentKind(tree.parent(node)) === "sizeof_expression" ? use(PLAIN | TYPES) : USE;
    case "parameter_list":
      return PARAMETER; // Old style: int f(a, b) int a, b; { }
    default:
      return declaratorRole(tree, node);
  }
}

/** Follows a declarator outwards: `*(*name[3])(int)` in a declaration, a parameter, a definition. */
function declaratorRole(tree: SyntaxTree, node: number): Role {
  let at = node;
  let isFunction = false;
  for (;;) {
    const parent = tree.parent(at);
    const isDeclarator = tree.field(at) === "declarator";
    switch (tree.parentKind(at)) {
      case "function_declarator":
        if (!isDeclarator) return USE;
        // The declarator nearest the name decides: in `(*name)(int)` it is the pointer.
        if (at === node || !isFunction) isFunction = !isPointer(tree, at, node);
        break;
      case "pointer_declarator":
      case "array_declarator":
      case "init_declarator":
        if (!isDeclarator) return USE;
        break;
      case "parenthesized_declarator":
      case "attributed_declarator":
        break;
      case "function_definition":
        return isDeclarator ? FUNCTION : USE;
      case "declaration":
        return !isDeclarator || isFunction || isExtern(tree, parent) ? USE : VARIABLE;
      case "parameter_declaration":
        return isDeclarator ? PARAMETER : USE;
      default:
        return USE;
    }
    at = parent;
  }
}

/** True where a pointer stands between the name and the declarator `outer`. */
function isPointer(tree: SyntaxTree, outer: number, name: number): boolean {
  for (let at = name; at !== outer; at = tree.parent(at)) {
    if (tree.parentKind(at) === "pointer_declarator") return true;
  }
  return false;
}

function isExtern(tree: SyntaxTree, declaration: number): boolean {
  for (const child of tree.children(declaration)) {
    if (tree.kind(child) === "storage_class_specifier" && tree.slice(child) === "extern") return true;
  }
  return false;
}

function typeRole(tree: SyntaxTree, node: number): Role {
  const parent = tree.parent(node);
  switch (tree.parentKind(node)) {
    case "struct_specifier":
    case "union_specifier":
    case "enum_specifier":
      return tree.field(node) === "name" && tree.childByField(parent, "body") >= 0 ? TAG : TYPE;
    default: {
      let at = node;
      while (tree.field(at) === "declarator" || tree.parentKind(at) === "parenthesized_declarator") {
        at = tree.parent(at);
        if (tree.kind(at) === "type_definition") return CLASS;
      }
      return TYPE;
    }
  }
}

function fieldRole(tree: SyntaxTree, node: number): Role {
  let at = node;
  while (tree.field(at) === "declarator" || tree.parentKind(at) === "parenthesized_declarator") {
    at = tree.parent(at);
    if (tree.kind(at) === "field_declaration") return ATTRIBUTE;
  }
  return MEMBER;
}

/** A macro's text is not parsed: its names are found by their shape, past strings and comments. */
function macroNames(tree: SyntaxTree, node: number, visit: Visit): void {
  const parent = tree.parent(node);
  if (tree.kind(parent) === "preproc_call") {
    const directive = tree.childByField(parent, "directive");
    if (directive < 0 || tree.slice(directive).replace(/\s/g, "") !== "#undef") return; // #error, #pragma: prose
  }
  const offset = tree.start(node);
  for (const match of tree.slice(node).matchAll(MACRO_TOKEN)) {
    const [whole, access, name] = match;
    if (name === undefined) continue;
    const start = offset + match.index + whole.length - name.length;
    visit(start, start + name.length, access === undefined ? use(PLAIN | TYPES) : MEMBER);
  }
}
const MACRO_TOKEN =
  /"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'|\/\/.*|\/\*[^]*?(?:\*\/|$)|(?<![\w.])\.?\d[\w.]*|(->\s*|\.\s*)?\b([A-Za-z_]\w*)/g;
