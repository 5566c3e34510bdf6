import type { CommentStyle } from "../_comments.js";
import type { SyntaxTree } from "../_tree.js";

/** The text between a block's first and last character: its braces. */
export function insideBraces(tree: SyntaxTree, block: number): readonly [number, number] {
  return [tree.start(block) + 1, Math.max(tree.start(block) + 1, tree.end(block) - 1)];
}

/** Documentation is a block comment opened by two asterisks (JSDoc, Javadoc, PHPDoc). */
export const STARRED_BLOCKS: CommentStyle = {
  block: (comment) => /^\/\*\*(?!\/)[^]*\*\/$/.test(comment) && !ELSEWHERE.test(comment),
  line: () => false,
  // Linters' and type checkers' directives stand between documentation and code.
  between: (comment) =>
    /^\/[/*]\s*(?:eslint|tslint|prettier|@ts-|istanbul|c8|jshint|jscs|biome|noinspection|phpcs)/.test(comment),
  blankLines: 1,
};

/** Such a block documents the file, a type or a group, wherever it stands. */
const ELSEWHERE =
  /^[\s*/]*@(?:fileoverview|file|module|typedef|callback|namespace|license|preserve|copyright|package)\b/m;
