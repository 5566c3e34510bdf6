import type { Doc } from "./_profile.js";
import type { SyntaxTree } from "./_tree.js";

/** How a language writes documentation above a declaration. */
export interface CommentStyle {
  /** True for a block comment that documents, by its text. */
  block(comment: string): boolean;
  /** True for a line comment that may be part of a documenting run, by its text. */
  line(comment: string): boolean;
  /** True for a comment that may stand between documentation and declaration, such as a linter's directive. */
  between?(comment: string): boolean;
  /** Blank lines allowed between a block and its declaration. Runs of line comments allow none. */
  readonly blankLines: number;
}

/**
 * The documentation that ends right above offset `at`: a block comment, or a run of line comments.
 *
 * Found by position, not by sibling: grammars hang the comment above a class's first member on different levels.
 */
export function docAbove(
  tree: SyntaxTree,
  comments: readonly number[],
  at: number,
  style: CommentStyle,
): Doc | undefined {
  let index = lastEndingBefore(tree, comments, at);
  let below = at;
  for (; index >= 0; index--) {
    const comment = comments[index]!;
    const gap = tree.text.slice(tree.end(comment), below);
    if (/\S/.test(gap)) return undefined;
    const text = tree.slice(comment).trimEnd();
    const blankLines = newlines(gap) - (text.length < tree.end(comment) - tree.start(comment) ? 0 : 1);
    const ownLine = startsItsLine(tree.text, tree.start(comment));
    if (style.block(text) && blankLines <= style.blankLines && (ownLine || blankLines < 0)) {
      return { text: cleanBlock(text), start: tree.start(comment), end: tree.end(comment) };
    }
    if (style.line(text) && blankLines <= 0 && ownLine) return lineRun(tree, comments, index, style);
    if (!(style.between?.(text) ?? false) || blankLines > 0) return undefined;
    below = tree.start(comment);
  }
  return undefined;
}

function lineRun(tree: SyntaxTree, comments: readonly number[], index: number, style: CommentStyle): Doc {
  let first = index;
  while (first > 0) {
    const above = comments[first - 1]!;
    const gap = tree.text.slice(tree.end(above), tree.start(comments[first]!));
    const text = tree.slice(above);
    if (/\S/.test(gap) || newlines(gap) + newlines(text) > 1 || !style.line(text.trimEnd())) break;
    if (!startsItsLine(tree.text, tree.start(above))) break;
    first -= 1;
  }
  const lines = comments.slice(first, index + 1).map((node) => tree.slice(node).replace(LINE_MARK, ""));
  return {
    text: dedent(lines.map((line) => line.trimEnd()))
      .join("\n")
      .trim(),
    start: tree.start(comments[first]!),
    end: tree.end(comments[index]!),
  };
}

const LINE_MARK = /^(?:\/\/[/!]?<?|#+)/;

/** The text of a block comment without its marks, its column of asterisks and common indentation. */
export function cleanBlock(comment: string): string {
  if (comment.startsWith("=begin")) return comment.replace(/^=begin.*|\n=end\s*$/g, "").trim();
  const inner = comment.replace(/^\/\*+(?:!?<|!|@[A-Z]*|-)?(?=\s|[^-@])/, "").replace(/\*+\/\s*$/, "");
  const lines = inner.split(/\r?\n/).map((line, i) => (i === 0 ? line : line.replace(/^\s*\*(?!\*)/, "")).trimEnd());
  const [head = "", ...rest] = lines;
  return [head.trim(), ...dedent(rest)].join("\n").trim();
}

/** Removes the indentation that all lines with text share. */
export function dedent(lines: readonly string[]): string[] {
  let common = Infinity;
  for (const line of lines) {
    const indent = line.search(/\S/);
    if (indent >= 0) common = Math.min(common, indent);
  }
  return common === Infinity || common === 0 ? [...lines] : lines.map((line) => line.slice(common));
}

/** True where only white space stands before `offset` on its line. */
export function startsItsLine(text: string, offset: number): boolean {
  for (let at = offset - 1; at >= 0; at--) {
    const code = text.charCodeAt(at);
    if (code === 10) return true;
    if (code !== 32 && code !== 9 && code !== 13 && code !== 0xfeff) return false;
  }
  return true;
}

function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

/** Index into `comments` of the last one that ends at or before `at`; -1 if none. */
function lastEndingBefore(tree: SyntaxTree, comments: readonly number[], at: number): number {
  let low = 0;
  let high = comments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tree.end(comments[middle]!) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
