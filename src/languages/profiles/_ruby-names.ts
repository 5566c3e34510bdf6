import type { SyntaxTree } from "../_tree.js";
import {
  CLASS,
  INNER_CLASS,
  MEMBER,
  METHOD,
  PARAMETER,
  define,
  MARKED,
  MEMBERS,
  PLAIN,
  use,
  USE_EITHER as USE,
  VARIABLE,
  type Role,
  type Visit,
} from "../_roles.js";

/** Names of Ruby; the marks of `@x`, `@@x`, `$x` and `:x` stay outside. */
export function rubyNames(tree: SyntaxTree, visit: Visit): void {
  for (let node = 0; node < tree.size; node++) {
    const role = roleOf(tree, node);
    if (role === undefined) continue;
    const start = tree.start(node) + (MARKS[tree.kind(node)] ?? 0);
    const end = nameEnd(tree, node, start);
    if (end > start) visit(start, end, role);
  }
}

/** `:size=` names a setter, whose name ends before the sign; operators (`:==`) have no name. */
function nameEnd(tree: SyntaxTree, node: number, start: number): number {
  const end = tree.end(node);
  if (tree.kind(node) !== "simple_symbol") return end;
  return start + (/^[\p{L}_][\p{L}\p{N}_]*[?!]?/u.exec(tree.text.slice(start, end))?.[0].length ?? 0);
}

const MARKS: Readonly<Record<string, number>> = {
  instance_variable: 1,
  class_variable: 2,
  global_variable: 1,
  simple_symbol: 1,
};

/** `@x` and `$x` are told from everything else by their marks; an accessor makes `x` of `@x`. */
const SEEN = use(MARKED);
const FIELD = define("attribute", MARKED);
const GLOBAL = define("variable", MARKED);
const ACCESSOR = define("attribute", MARKED | MEMBERS);
/** RSpec's `let(:size) { ... }` */
const HELPER = define("function", MEMBERS);

function roleOf(tree: SyntaxTree, node: number): Role | undefined {
  if (!tree.isLeaf(node)) return undefined;
  switch (tree.kind(node)) {
    case "identifier":
      return plainRole(tree, node);
    case "constant":
      return constantRole(tree, node);
    case "instance_variable":
    case "class_variable":
      return isTarget(tree, node) ? FIELD : SEEN;
    case "global_variable":
      // `$stdout = log` sets the interpreter's own.
      if (/^\$(?:std\w+|[A-Z_]+|\W|\d+)$/.test(tree.slice(node))) return undefined;
      return isTarget(tree, node) ? GLOBAL : SEEN;
    case "simple_symbol":
      return symbolRole(tree, node);
    case "hash_key_symbol":
      return keyRole(tree, node);
    default:
      return undefined;
  }
}

function plainRole(tree: SyntaxTree, node: number): Role | undefined {
  const parent = tree.parent(node);
  const field = tree.field(node);
  switch (tree.parentKind(node)) {
    case "method":
    case "singleton_method":
      return field === "name" ? METHOD : USE;
    case "setter":
      return METHOD;
    case "method_parameters":
    case "block_parameters":
    case "lambda_parameters":
    case "destructured_parameter":
    case "exception_variable":
      return VARIABLE;
    case "keyword_parameter":
      return field === "name" ? PARAMETER : USE;
    case "optional_parameter":
    case "splat_parameter":
    case "hash_splat_parameter":
    case "block_parameter":
    case "as_pattern":
      return field === "name" ? VARIABLE : USE;
    case "alias":
      return field === "name" ? METHOD : USE; // The grammar calls the new name `name`, the old one `alias`.
    case "call":
      if (field !== "method") return USE;
      return tree.childByField(parent, "receiver") >= 0 ? MEMBER : USE;
    case "array_pattern":
    case "find_pattern":
    case "keyword_pattern":
    case "in_clause":
    case "alternative_pattern":
      return field === "class" || field === "body" ? USE : VARIABLE;
    default:
      return isTarget(tree, node) ? VARIABLE : USE;
  }
}

/** True on the left of an assignment, also `||=`, several at once, a loop's variable. */
function isTarget(tree: SyntaxTree, node: number): boolean {
  let at = node;
  for (;;) {
    switch (tree.parentKind(at)) {
      case "left_assignment_list":
      case "destructured_left_assignment":
      case "rest_assignment":
        at = tree.parent(at);
        break;
      case "assignment":
      case "operator_assignment":
        return tree.field(at) === "left";
      case "for":
        return tree.field(at) === "pattern";
      default:
        return false;
    }
  }
}

const CLASSES: ReadonlySet<string> = new Set(["class", "module"]);

function constantRole(tree: SyntaxTree, node: number): Role {
  const parent = tree.parent(node);
  const field = tree.field(node);
  switch (tree.parentKind(node)) {
    case "class":
    case "module":
      if (field !== "name") return USE;
      return tree.ancestor(parent, CLASSES) >= 0 ? INNER_CLASS : CLASS;
    case "scope_resolution":
      if (field !== "name") return USE;
      return tree.field(parent) === "name" && CLASSES.has(tree.parentKind(parent)) ? INNER_CLASS : MEMBER;
    case "call":
      return field === "method" && tree.childByField(parent, "receiver") >= 0 ? MEMBER : USE;
    case "method":
    case "singleton_method":
      return field === "name" ? METHOD : USE;
    default:
      if (!isTarget(tree, node)) return USE;
      return define(MAKES_CLASS.test(valueOf(tree, node)) ? "class" : "variable", PLAIN | MEMBERS);
  }
}

/** `Entry = Struct.new(:name)` */
const MAKES_CLASS = /^(?:::)?(?:(?:Class|Module|Struct)\.new|Data\.define)\b/;

function valueOf(tree: SyntaxTree, target: number): string {
  const value = tree.parentKind(target) === "assignment" ? tree.childByField(tree.parent(target), "right") : -1;
  return value < 0 ? "" : tree.slice(value);
}

/** Symbols are literals, except where they declare: `attr_reader :size`, `define_method :size`, `private :size`. */
function symbolRole(tree: SyntaxTree, node: number): Role | undefined {
  if (tree.parentKind(node) === "alias") return tree.field(node) === "name" ? METHOD : USE;
  if (tree.parentKind(node) !== "argument_list") return undefined;
  const method = tree.childByField(tree.parent(tree.parent(node)), "method");
  const called = method < 0 ? "" : tree.slice(method);
  if (/^(?:new|define)$/.test(called)) {
    return /^(?:::)?(?:Struct\.new|Data\.define)\b/.test(tree.slice(tree.parent(tree.parent(node))))
      ? ACCESSOR
      : undefined;
  }
  if (/^(?:attr|attr_reader|attr_writer|attr_accessor|cattr_\w+|mattr_\w+|class_attribute)$/.test(called))
    return ACCESSOR;
  const isFirst = tree.start(node) === tree.start(firstArgument(tree, tree.parent(node)));
  if (/^(?:define_method|define_singleton_method|alias_method)$/.test(called)) return isFirst ? METHOD : MEMBER;
  if (/^(?:let|subject)!?$/.test(called)) return isFirst ? HELPER : undefined;
  return DECLARING.test(called) ? MEMBER : undefined;
}
const DECLARING =
  /^(?:private|protected|public|module_function|private_class_method|public_class_method|private_constant|undef_method|remove_method)$/;

function firstArgument(tree: SyntaxTree, list: number): number {
  for (const child of tree.children(list)) if (tree.kind(child) !== "(") return child;
  return list;
}

/** `area(width: 2)` names the callee's parameter; the key of a literal hash is a literal, but in `{ size: }` a name. */
function keyRole(tree: SyntaxTree, node: number): Role | undefined {
  if (tree.parentKind(node) === "pair" && tree.childByField(tree.parent(node), "value") < 0) return USE; // { size: }
  const list = tree.parent(tree.parent(node));
  if (list < 0 || tree.kind(list) !== "argument_list") return undefined;
  const call = tree.parent(list);
  const method = tree.childByField(call, "method");
  if (method < 0) return undefined;
  const receiver = tree.childByField(call, "receiver");
  const isNew = tree.slice(method) === "new" && receiver >= 0;
  return { role: "keyword", callee: tree.slice(isNew ? receiver : method) };
}
