import type { Profile } from "./_profile.js";
import type { SyntaxTree } from "./_tree.js";
import type { SyntaxToken, TokenKind } from "./types.js";

/** Nodes that are one literal, whatever the grammar puts inside. */
const STRING =
  /^(?:.*string(?:_literal|_expression|_array)?|(?:char|character|rune)(?:_literal)?|heredoc(?:_body|_beginning|_end)?|nowdoc(?:_body|_string)?|regex|(?:simple|delimited|bare)_symbol|symbol_array|uninterpreted|jsx_text|text)$/;
/** Code inside one: `${name}`. */
const CODE_INSIDE = /^(?:.*interpolation|template_substitution|template_type|template_expression)$/;
const NUMBER = /^(?:.*(?:integer|float|number|real|int|imaginary|floating_point)(?:_literal)?|complex|rational)$/;
/** Named leaves that are words of the language and nobody's names. */
const RESERVED =
  /^(?:(?!type_identifier).*_type|true|false|boolean|boolean_literal|null|nil|none|null_literal|undefined|this|super|self|import|.*modifier|.*specifier|.*_statement|implicit_parameter|underscore_pattern|preproc_directive|relative_scope)$/;
const WORD = /^[$@]{0,2}[\p{L}_][\p{L}\p{N}_$]*[?!]?$/u;

/** The leaves of a tree in text order, each with what it is; empty nodes are left out. */
export function tokensOf(tree: SyntaxTree, profile: Profile): SyntaxToken[] {
  const tokens: SyntaxToken[] = [];
  /** 1 where a node's children are the text of a string. */
  const quotes = new Uint8Array(tree.size);
  for (let node = 0; node < tree.size; node++) {
    const kind = tree.kind(node);
    const [start, end] = [tree.start(node), tree.end(node)];
    if (profile.comments.has(kind)) {
      if (start < end) tokens.push({ kind: "comment", start, end });
      node = tree.last(node) - 1;
      continue;
    }
    const parent = tree.parent(node);
    const quoted = parent >= 0 && quotes[parent] === 1;
    if (!tree.isLeaf(node)) {
      quotes[node] = CODE_INSIDE.test(kind) ? 0 : quoted || STRING.test(kind) ? 1 : 0;
    } else if (start < end) {
      tokens.push({ kind: quoted ? "string" : leafKind(kind, tree.text.slice(start, end)), start, end });
    }
  }
  return tokens;
}

function leafKind(kind: string, text: string): TokenKind {
  if (kind !== text) {
    if (STRING.test(kind)) return "string";
    if (NUMBER.test(kind) && /\d/.test(text)) return "number";
    if (WORD.test(text) && !RESERVED.test(kind)) return "identifier";
  }
  return WORD.test(text) ? "keyword" : "operator";
}
