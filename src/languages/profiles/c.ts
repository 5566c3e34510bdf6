import { docAbove, type CommentStyle } from "../_comments.js";
import type { FunctionShape, Profile } from "../_profile.js";
import { lostFunctions } from "../_recover.js";
import type { SyntaxTree } from "../_tree.js";
import { insideBraces } from "./_brace.js";
import { cNames } from "./_c-names.js";

/** Doxygen blocks, and plain blocks or lines that touch the function. */
const C_DOC: CommentStyle = {
  block: (comment) =>
    comment.startsWith("/*") && !/@(?:file|defgroup|addtogroup|name)\b|\\(?:file|defgroup)\b/.test(comment),
  line: (comment) => comment.startsWith("//"),
  blankLines: 0,
};

/** C: `tree-sitter-c`. Headers count as C; the corpus passes over those that are C++. */
export const c: Profile = {
  language: "c",
  grammar: "tree-sitter-c/tree-sitter-c.wasm",
  extensions: [".c", ".h"],
  comments: new Set(["comment"]),
  functions: new Set(["function_definition"]),
  scopes: new Set(["function_definition"]), // GNU C nests them.
  returns: new Set(["return_statement"]),
  looksInto: new Set([
    "pointer_declarator",
    "function_declarator",
    "parenthesized_declarator",
    "attributed_declarator",
    "array_declarator",
  ]),
  harmlessInHead: /^[^{};]{0,80}$/,
  lost: lostFunctions,
  shape,
  documentation: (tree, { outer }, comments) => docAbove(tree, comments, tree.start(outer), C_DOC),
  names: cNames,
};

function shape(tree: SyntaxTree, node: number): FunctionShape | undefined {
  const body = tree.childByField(node, "body");
  if (body < 0 || tree.kind(body) !== "compound_statement") return undefined;
  const name = functionName(tree, tree.childByField(node, "declarator"));
  if (name === undefined || STATEMENTS.has(name)) return undefined;
  return { name, kind: "function", outer: node, body, inner: insideBraces(tree, body) };
}

/** What a macro that the parser cannot expand makes of a statement. */
const STATEMENTS: ReadonlySet<string> = new Set(["if", "for", "while", "switch", "do", "else", "return", "sizeof"]);

/** The name inside `*(*name(int))(char)`: that of the innermost function declarator. */
function functionName(tree: SyntaxTree, declarator: number): string | undefined {
  let at = declarator;
  let inFunction = false;
  while (at >= 0) {
    const kind = tree.kind(at);
    if (kind === "identifier") return inFunction ? tree.slice(at) : undefined;
    if (kind === "function_declarator") inFunction = true;
    const inner = tree.childByField(at, "declarator");
    at =
      inner >= 0
        ? inner
        : tree.childOfKind(at, "function_declarator", "pointer_declarator", "parenthesized_declarator", "identifier");
  }
  return undefined;
}
