import { docAbove, type CommentStyle } from "../_comments.js";
import type { FunctionShape, Profile } from "../_profile.js";
import type { SyntaxTree } from "../_tree.js";
import { insideBraces } from "./_brace.js";
import { csharpNames } from "./_csharp-names.js";

/** XML documentation: runs of `///`, or a block opened by two asterisks. */
const XML_DOC: CommentStyle = {
  block: (comment) => /^\/\*\*(?!\/)/.test(comment),
  line: (comment) => /^\/\/\/(?!\/)/.test(comment),
  between: (comment) => /^\/\/\s*(?:ReSharper|resharper|TODO)/.test(comment),
  blankLines: 1,
};

const MEMBERS = [
  "method_declaration",
  "constructor_declaration",
  "destructor_declaration",
  "operator_declaration",
  "conversion_operator_declaration",
  "local_function_statement",
] as const;

/** C#: `tree-sitter-c-sharp`. */
export const csharp: Profile = {
  language: "csharp",
  grammar: "tree-sitter-c-sharp/tree-sitter-c_sharp.wasm",
  extensions: [".cs"],
  comments: new Set(["comment"]),
  functions: new Set(MEMBERS),
  scopes: new Set([...MEMBERS, "lambda_expression", "anonymous_method_expression", "accessor_declaration"]),
  returns: new Set(["return_statement"]),
  shape,
  documentation: (tree, { outer }, comments) => docAbove(tree, comments, tree.start(outer), XML_DOC),
  names: csharpNames,
};

function shape(tree: SyntaxTree, node: number): FunctionShape | undefined {
  const body = tree.childByField(node, "body");
  if (body < 0) return undefined;
  const inner = tree.kind(body) === "block" ? insideBraces(tree, body) : undefined;
  const name = nameOf(tree, node);
  if (name === undefined) return undefined;
  const kind = tree.kind(node);
  return {
    name,
    kind:
      kind === "constructor_declaration" ? "constructor" : kind === "local_function_statement" ? "function" : "method",
    outer: node,
    body,
    inner,
  };
}

function nameOf(tree: SyntaxTree, node: number): string | undefined {
  const name = tree.childByField(node, "name");
  if (name >= 0) return tree.kind(node) === "destructor_declaration" ? `~${tree.slice(name)}` : tree.slice(name);
  const operator = tree.childByField(node, "operator");
  if (operator >= 0) return `operator ${tree.slice(operator)}`;
  const type = tree.childByField(node, "type");
  return type < 0 ? undefined : `operator ${tree.slice(type)}`;
}
