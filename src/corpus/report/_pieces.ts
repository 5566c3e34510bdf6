/**
 * The tokens that the report counts: words cut where an identifier changes case, numbers by digit groups of three, runs
 * of equal or joined marks. No vocabulary is needed, and the counts are close to those of a byte-pair tokenizer for code.
 *
 * @example
 * pieces("parseHTTPHeader(x_1) != 0"); // ["parse", "HTTP", "Header", "(", "x", "_", "1", ")", "!=", "0"]
 */
export function pieces(text: string): string[] {
  return text.match(PIECE) ?? [];
}

const PIECE = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|\p{L}+|\p{N}{1,3}|[()[\]{};,]|[^\s\p{L}\p{N}()[\]{};,]+/gu;

/** Counts {@link pieces} without keeping them. */
export function countPieces(text: string): number {
  let count = 0;
  PIECE.lastIndex = 0;
  while (PIECE.test(text)) count += 1;
  return count;
}

/** True for words and numbers. */
export function isWord(piece: string): boolean {
  return /^[\p{L}\p{N}]/u.test(piece);
}
