import { docAbove, type CommentStyle } from "../_comments.js";
import type { FunctionShape, Profile } from "../_profile.js";
import type { SyntaxTree } from "../_tree.js";
import { rubyNames } from "./_ruby-names.js";

const MAGIC =
  /^#\s*(?:frozen_string_literal:|-\*-|encoding:|rubocop:|:nodoc:|:startdoc:|:stopdoc:|typed:|steep:|noinspection|simplecov|:?nocov:)|^#!/;

/** The `#` lines or `=begin` block directly above, without the interpreter's and linters' lines. */
const RUBY_DOC: CommentStyle = {
  block: (comment) => comment.startsWith("=begin"),
  line: (comment) => comment.startsWith("#") && !MAGIC.test(comment),
  between: (comment) => MAGIC.test(comment),
  blankLines: 0,
};

/** Ruby: `tree-sitter-ruby`. Constants must begin with a capital, so their placeholders are `C_0` and `V_0`. */
export const ruby: Profile = {
  language: "ruby",
  grammar: "tree-sitter-ruby/tree-sitter-ruby.wasm",
  extensions: [".rb", ".rake", ".gemspec"],
  comments: new Set(["comment"]),
  functions: new Set(["method", "singleton_method"]),
  scopes: new Set(["method", "singleton_method", "lambda"]),
  returns: new Set(["return"]),
  returnWrappers: new Set(["if_modifier", "unless_modifier"]),
  shape,
  documentation: (tree, { outer }, comments) => docAbove(tree, comments, tree.start(outer), RUBY_DOC),
  names: rubyNames,
  placeholder: (letter, number, name) => `${/^\p{Lu}/u.test(name) ? letter.toUpperCase() : letter}_${number}`,
};

function shape(tree: SyntaxTree, node: number): FunctionShape | undefined {
  const name = tree.childByField(node, "name");
  const body = tree.childByField(node, "body");
  if (name < 0 || body < 0) return undefined;
  const end = lastChild(tree, node);
  const parameters = tree.childByField(node, "parameters");
  // `def double(x) = 2 * x` has no `end`: the body is what it returns.
  const inner: readonly [number, number] | undefined =
    tree.kind(end) === "end" ? [afterHead(tree, parameters >= 0 ? parameters : name), tree.start(end)] : undefined;
  const text = tree.slice(name);
  const inClass = tree.kind(node) === "singleton_method" || tree.ancestor(node, CLASSES) >= 0;
  const kind = !inClass ? "function" : text === "initialize" ? "constructor" : "method";
  return { name: text, kind, outer: modified(tree, node), body, inner };
}

/** Past the signature, and past the semicolon of `def name; 1; end`. */
function afterHead(tree: SyntaxTree, head: number): number {
  return tree.end(head) + /^[ \t]*;?/.exec(tree.text.slice(tree.end(head), tree.end(head) + 20))![0].length;
}

const CLASSES: ReadonlySet<string> = new Set(["class", "module", "singleton_class"]);
const MODIFIERS =
  /^(?:private|protected|public|module_function|private_class_method|public_class_method|memoize|ruby2_keywords)$/;

/** `private def name` belongs together. */
function modified(tree: SyntaxTree, node: number): number {
  if (tree.parentKind(node) !== "argument_list") return node;
  const call = tree.parent(tree.parent(node));
  const method = tree.childByField(call, "method");
  return method >= 0 && MODIFIERS.test(tree.slice(method)) ? call : node;
}

function lastChild(tree: SyntaxTree, node: number): number {
  let last = node;
  for (const child of tree.children(node)) last = child;
  return last;
}
