import { docAbove, type CommentStyle } from "../_comments.js";
import type { FunctionShape, Profile } from "../_profile.js";
import type { SyntaxTree } from "../_tree.js";
import { insideBraces } from "./_brace.js";
import { goNames } from "./_go-names.js";

const DIRECTIVE = /^\/\/(?:go:|nolint|export |line |lint:|\s*\+build|#nosec)/;

/** The comment directly above, without compiler directives. */
const GO_DOC: CommentStyle = {
  block: (comment) => comment.startsWith("/*"),
  line: (comment) => comment.startsWith("//") && !DIRECTIVE.test(comment),
  between: (comment) => DIRECTIVE.test(comment),
  blankLines: 0,
};

/** Go: `tree-sitter-go`. */
export const go: Profile = {
  language: "go",
  grammar: "tree-sitter-go/tree-sitter-go.wasm",
  extensions: [".go"],
  comments: new Set(["comment"]),
  functions: new Set(["function_declaration", "method_declaration"]),
  scopes: new Set(["func_literal"]),
  returns: new Set(["return_statement"]),
  shape,
  documentation: (tree, { outer }, comments) => docAbove(tree, comments, tree.start(outer), GO_DOC),
  names: goNames,
};

function shape(tree: SyntaxTree, node: number): FunctionShape | undefined {
  const name = tree.childByField(node, "name");
  const body = tree.childByField(node, "body");
  if (name < 0 || body < 0) return undefined;
  const kind = tree.kind(node) === "method_declaration" ? "method" : "function";
  return { name: tree.slice(name), kind, outer: node, body, inner: insideBraces(tree, body) };
}
