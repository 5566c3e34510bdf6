import type { ExtractedFunction } from "./types.js";

/** A piece of a text that may hold one function with the comment above it: offsets and its first line (0-based). */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly line: number;
}

/**
 * Pieces of a C text that look like functions and are in none of `found`: from a header at the left margin, with the
 * comment above it, to the next brace that closes at the margin. A parser that lost its way in macros and preprocessor
 * branches takes dozens of functions with it, each of which it reads alone.
 */
export function lostFunctions(text: string, found: readonly ExtractedFunction[]): Piece[] {
  const lines = text.split("\n");
  const starts = [0];
  for (const line of lines) starts.push(starts.at(-1)! + line.length + 1);
  const pieces: Piece[] = [];
  let next = 0;
  for (let i = 0; i < lines.length; i++) {
    if (!opensBody(lines[i]!)) continue;
    const at = starts[i]!;
    while (next < found.length && found[next]!.end <= at) next += 1;
    if (next < found.length && found[next]!.start <= at) continue;
    const head = headOf(lines, i);
    if (head < 0) continue;
    let last = i + 1;
    while (last < lines.length && !lines[last]!.startsWith("}")) last += 1;
    if (last === lines.length) break;
    const first = aboveHead(lines, head);
    pieces.push({ start: starts[first]!, end: starts[last]! + 1, line: first });
    i = last;
  }
  return pieces;
}

/** A brace alone at the margin, or a line from the margin that ends in one behind a parenthesis. */
function opensBody(line: string): boolean {
  return /^\{\s*$/.test(line) || /^[A-Za-z_].*\)\s*\{\s*$/.test(line);
}

const LONGEST_HEAD = 12;

/** The line where the header above (or on) line `open` begins; -1 where there is none. */
function headOf(lines: readonly string[], open: number): number {
  let head = lines[open]!.startsWith("{") ? open - 1 : open;
  const lowest = Math.max(0, head - LONGEST_HEAD);
  if (head < 0 || lines[head]!.trim() === "") return -1;
  while (head > lowest && !/^\s*$|[;}{]\s*$|\*\/\s*$|^\s*(?:#|\/\/)/.test(lines[head - 1]!)) head -= 1;
  const text = lines.slice(head, open + 1).join("\n");
  return /^[A-Za-z_]/.test(text) &&
    text.includes("(") &&
    !/^(?:struct|enum|union|typedef|extern "C")\b[^(]*\{/.test(text)
    ? head
    : -1;
}

/** The first line of the comment that ends right above line `head`, or `head`. */
function aboveHead(lines: readonly string[], head: number): number {
  let first = head;
  while (first > 0 && /^\s*\/\//.test(lines[first - 1]!)) first -= 1;
  if (first < head || first === 0 || !/\*\/\s*$/.test(lines[first - 1]!)) return first;
  for (let at = first - 1; at >= 0 && at > first - 200; at--) {
    if (lines[at]!.includes("/*")) return at;
  }
  return head;
}
