import type { SyntaxTree } from "../_tree.js";
import {
  ATTRIBUTE,
  CLASS,
  FUNCTION,
  IMPORT,
  INNER_CLASS,
  MEMBER,
  METHOD,
  OWN_ATTRIBUTE,
  PARAMETER,
  USE,
  USE_EITHER,
  VARIABLE,
  type Role,
  type Visit,
} from "../_roles.js";

/** Names of Python: every one is an `identifier`, told apart by what stands around it. */
export function pythonNames(tree: SyntaxTree, visit: Visit): void {
  for (let node = 0; node < tree.size; node++) {
    if (tree.kind(node) !== "identifier") continue;
    const role = roleOf(tree, node);
    if (role !== undefined) visit(tree.start(node), tree.end(node), role);
  }
}

function roleOf(tree: SyntaxTree, node: number): Role | undefined {
  const parent = tree.parent(node);
  const field = tree.field(node);
  switch (tree.parentKind(node)) {
    case "function_definition":
      if (field !== "name") return plain(tree, node);
      return inClassBody(tree, parent) ? METHOD : FUNCTION;
    case "class_definition":
      if (field !== "name") return plain(tree, node);
      return inClassBody(tree, parent) ? INNER_CLASS : CLASS;
    case "default_parameter":
    case "typed_default_parameter":
      return field === "name" ? PARAMETER : plain(tree, node);
    case "parameters":
    case "lambda_parameters":
    case "typed_parameter":
      return PARAMETER;
    case "attribute":
      return field === "attribute" ? attributeRole(tree, parent) : plain(tree, node);
    case "keyword_argument":
      return field === "name" ? { role: "keyword", callee: calleeOf(tree, parent) } : plain(tree, node);
    case "aliased_import":
      return VARIABLE;
    case "dotted_name":
      return dottedRole(tree, node, parent);
    case "as_pattern":
    case "except_clause":
      return field === "alias" || tree.next(node) < 0 ? bound(tree, node, VARIABLE) : plain(tree, node);
    case "as_pattern_target":
      return bound(tree, node, VARIABLE);
    case "splat_pattern":
      return VARIABLE;
    case "keyword_pattern":
      return node === parent + 1 ? MEMBER : plain(tree, node);
    case "member_type":
      return node === parent + 1 ? plain(tree, node) : MEMBER;
    case "type":
      return typeRole(tree, node);
    case "generic_type":
      return isAliasHead(tree, parent) ? CLASS : plain(tree, node);
    default:
      return targetRole(tree, node) ?? plain(tree, node);
  }
}

/** A plain occurrence; directly in a class body it may also name a member. */
function plain(tree: SyntaxTree, node: number): Role {
  return scopeKind(tree, node) === "class_definition" ? USE_EITHER : USE;
}

/** A name that is bound here: a member in a class body, else a variable. */
function bound(tree: SyntaxTree, node: number, role: Role): Role {
  return scopeKind(tree, node) === "class_definition" ? ATTRIBUTE : role;
}

/** The kind of the nearest scope around a node; a class counts only inside its body. */
function scopeKind(tree: SyntaxTree, node: number): string {
  let at = node;
  for (;;) {
    const parent = tree.parent(at);
    if (parent < 0) return "module";
    const kind = tree.kind(parent);
    if (kind === "function_definition" || kind === "lambda") return kind;
    if (kind === "class_definition" && tree.field(at) === "body") return kind;
    at = parent;
  }
}

function inClassBody(tree: SyntaxTree, definition: number): boolean {
  return scopeKind(tree, definition) === "class_definition";
}

/** Targets of assignments, loops and comprehensions, through tuples and stars; undefined for anything else. */
function targetRole(tree: SyntaxTree, node: number): Role | undefined {
  let at = node;
  for (;;) {
    const parent = tree.parent(at);
    const field = tree.field(at);
    switch (tree.parentKind(at)) {
      case "pattern_list":
      case "tuple_pattern":
      case "list_pattern":
      case "list_splat_pattern":
      case "dictionary_splat_pattern":
      case "tuple":
      case "list":
      case "list_splat":
      case "parenthesized_expression":
        break;
      case "parameters":
      case "lambda_parameters":
      case "typed_parameter":
        return PARAMETER;
      case "as_pattern_target":
        return bound(tree, node, VARIABLE);
      case "assignment": {
        if (field !== "left") return undefined;
        const value = tree.childByField(parent, "right");
        const isFunction = at === node && value >= 0 && tree.kind(value) === "lambda";
        if (scopeKind(tree, node) === "class_definition") return isFunction ? METHOD : ATTRIBUTE;
        return isFunction ? FUNCTION : VARIABLE;
      }
      case "for_statement":
      case "for_in_clause":
        return field === "left" ? bound(tree, node, VARIABLE) : undefined;
      case "named_expression":
        return field === "name" ? VARIABLE : undefined;
      default:
        return undefined;
    }
    at = parent;
  }
}

/** `receiver.name`, perhaps assigned. */
function attributeRole(tree: SyntaxTree, attribute: number): Role {
  if (targetRole(tree, attribute) === undefined) return MEMBER;
  const object = tree.childByField(attribute, "object");
  if (object < 0 || tree.kind(object) !== "identifier") return MEMBER;
  const receiver = tree.slice(object);
  return receiver === "self" || receiver === "cls" ? OWN_ATTRIBUTE : { role: "assign-member", receiver };
}

/** The name of the function that an argument is handed to. */
function calleeOf(tree: SyntaxTree, argument: number): string | undefined {
  const call = tree.parent(tree.parent(argument));
  if (call < 0 || tree.kind(call) !== "call") return undefined;
  const callee = tree.childByField(call, "function");
  if (tree.kind(callee) === "identifier") return tree.slice(callee);
  return tree.kind(callee) === "attribute" ? tree.slice(tree.childByField(callee, "attribute")) : undefined;
}

/** `import a.b`, `from m import x`, and dotted names in patterns. */
function dottedRole(tree: SyntaxTree, node: number, dotted: number): Role | undefined {
  const isFirst = node === dotted + 1;
  switch (tree.parentKind(dotted)) {
    case "import_statement":
      return isFirst ? IMPORT : undefined;
    case "import_from_statement":
      return tree.field(dotted) === "name" ? IMPORT : undefined;
    case "aliased_import":
    case "future_import_statement":
    case "relative_import":
      return undefined;
    case "case_pattern":
    case "union_pattern":
    case "list_pattern":
    case "tuple_pattern":
    case "dict_pattern":
    case "keyword_pattern":
      if (tree.last(dotted) === dotted + 2 && tree.slice(node) !== "_") return VARIABLE; // A lone name captures.
      return isFirst ? USE : MEMBER;
    default:
      return isFirst ? plain(tree, node) : MEMBER;
  }
}

/** `Pairs` and `K` of `type Pairs[K] = ...`, which parse as a type with an argument. */
function isAliasHead(tree: SyntaxTree, node: number): boolean {
  const generic = tree.kind(node) === "generic_type" ? node : tree.ancestor(node, GENERIC);
  const head = generic < 0 ? -1 : tree.parent(generic);
  return head >= 0 && tree.field(head) === "left" && tree.parentKind(head) === "type_alias_statement";
}
const GENERIC: ReadonlySet<string> = new Set(["generic_type"]);

/** Type parameters (`def f[T]`, `class A[T]`) and aliases (`type A = ...`) define; annotations use. */
function typeRole(tree: SyntaxTree, node: number): Role {
  const type = tree.parent(node);
  const holder = tree.parent(type);
  if (tree.parentKind(type) === "type_parameter" && tree.field(holder) === "type_parameters") return CLASS;
  if (tree.parentKind(type) === "type_alias_statement" && tree.field(type) === "left") return CLASS;
  if (isAliasHead(tree, type)) return CLASS;
  return plain(tree, node);
}
