import { docAbove } from "../_comments.js";
import type { FunctionShape, Profile } from "../_profile.js";
import type { SyntaxTree } from "../_tree.js";
import { insideBraces, STARRED_BLOCKS } from "./_brace.js";
import { javaNames } from "./_java-names.js";

/** Java: `tree-sitter-java`, Javadoc. */
export const java: Profile = {
  language: "java",
  grammar: "tree-sitter-java/tree-sitter-java.wasm",
  extensions: [".java"],
  comments: new Set(["line_comment", "block_comment"]),
  functions: new Set(["method_declaration", "constructor_declaration", "compact_constructor_declaration"]),
  scopes: new Set([
    "method_declaration",
    "constructor_declaration",
    "compact_constructor_declaration",
    "lambda_expression",
  ]),
  returns: new Set(["return_statement"]),
  shape,
  documentation: (tree, { outer }, comments) => docAbove(tree, comments, tree.start(outer), STARRED_BLOCKS),
  names: javaNames,
};

function shape(tree: SyntaxTree, node: number): FunctionShape | undefined {
  const name = tree.childByField(node, "name");
  const body = tree.childByField(node, "body");
  if (name < 0 || body < 0) return undefined;
  const kind = tree.kind(node) === "method_declaration" ? "method" : "constructor";
  return { name: tree.slice(name), kind, outer: node, body, inner: insideBraces(tree, body) };
}
