import type { Profile } from "./_profile.js";
import type { SyntaxTree } from "./_tree.js";
import type { SyntaxToken, TokenKind } from "./types.js";

/** Nodes that are one literal, whatever the grammar puts inside. Strings side by side may have names between them (C). */
const STRING =
  /^(?!concatenated)(?:.*string(?:_literal|_expression|_array|_fragment)?|template_literal_type|(?:char|character|rune)(?:_literal)?|heredoc(?:_body|_beginning|_end)?|nowdoc(?:_body|_string)?|regex|(?:simple|delimited|bare)_symbol|symbol_array|uninterpreted|jsx_text|text)$/;
/** Code inside one: `${name}`, in PHP also `$name` alone. */
const CODE_INSIDE =
  /^(?:.*interpolation|template_substitution|template_type|template_expression|(?:dynamic_)?variable_name|(?:nullsafe_)?member_(?:access|call)_expression|subscript_expression)$/;
const NUMBER = /^(?:.*(?:integer|float|number|real|int|imaginary|floating_point)(?:_literal)?|complex|rational)$/;
/** Named leaves that are words of the language and nobody's names. */
const RESERVED =
  /^(?:(?!type_identifier).*_type|true|false|boolean|boolean_literal|null|nil|none|null_literal|undefined|this|super|self|import|.*modifier|.*specifier|.*_statement|underscore_pattern|preproc_directive|relative_scope)$/;
/** Names, also those whose text is their own kind (a variable `name`), a word of the language, or only marks. */
const NAME = /^(?:identifier|name|constant|private_property_identifier|implicit_parameter)$/;
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
      const text = tree.text.slice(start, end);
      const own = quoted ? "string" : (nameKind(kind, tree.parentKind(node), text) ?? leafKind(kind, text));
      tokens.push({ kind: own, start, end });
    }
  }
  return tokens;
}

function nameKind(kind: string, parentKind: string, text: string): TokenKind | undefined {
  if (kind !== "name") return NAME.test(kind) || parentKind === "identifier" ? "identifier" : undefined; // C#: `from`
  // PHP's grammar also calls these names: `$this`, `Box::class`.
  const isVariable = parentKind === "variable_name";
  return text === (isVariable ? "this" : "class") ? "keyword" : "identifier";
}

function leafKind(kind: string, text: string): TokenKind {
  if (kind !== text) {
    if (STRING.test(kind)) return "string";
    if (NUMBER.test(kind) && /\d/.test(text)) return "number";
    if (WORD.test(text) && !RESERVED.test(kind)) return "identifier";
  }
  return WORD.test(text) ? "keyword" : "operator";
}
