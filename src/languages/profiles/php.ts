import { docAbove } from "../_comments.js";
import type { FunctionShape, Profile } from "../_profile.js";
import type { SyntaxTree } from "../_tree.js";
import { insideBraces, STARRED_BLOCKS } from "./_brace.js";
import { phpNames } from "./_php-names.js";

/** PHP: `tree-sitter-php` (the grammar that reads the HTML around `<?php`), PHPDoc. */
export const php: Profile = {
  language: "php",
  grammar: "tree-sitter-php/tree-sitter-php.wasm",
  extensions: [".php", ".phtml", ".inc"],
  comments: new Set(["comment"]),
  functions: new Set(["function_definition", "method_declaration"]),
  scopes: new Set(["function_definition", "method_declaration", "anonymous_function", "arrow_function"]),
  returns: new Set(["return_statement"]),
  shape,
  documentation: (tree, { outer }, comments) => docAbove(tree, comments, tree.start(outer), STARRED_BLOCKS),
  names: phpNames,
};

function shape(tree: SyntaxTree, node: number): FunctionShape | undefined {
  const name = tree.childByField(node, "name");
  const body = tree.childByField(node, "body");
  if (name < 0 || body < 0) return undefined;
  const text = tree.slice(name);
  const isMethod = tree.kind(node) === "method_declaration";
  const kind = !isMethod ? "function" : text.toLowerCase() === "__construct" ? "constructor" : "method";
  return { name: text, kind, outer: node, body, inner: insideBraces(tree, body) };
}
