import type { Chunk, ChunkKind } from "./types.js";

const WINDOW_LINES = 40;
const WINDOW_UNITS = 2000;
const NAME_LENGTH = 60;

/** The offset of each line's first character. */
export function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** Options of {@link windowChunks}. */
export interface WindowOptions {
  readonly kind?: ChunkKind;
  /** Added to every line number. */
  readonly firstLine?: number;
  /** The chunks' name; by default each window's first line with text. */
  readonly name?: string;
  readonly scope?: readonly string[];
}

/** Runs of at most 40 lines or 2,000 characters; blank ones are left out. */
export function windowChunks(text: string, options: WindowOptions = {}): Chunk[] {
  const { kind = "text", firstLine = 0, name, scope = [] } = options;
  const chunks: Chunk[] = [];
  const lines = text.split(/\r?\n/);
  for (let first = 0; first < lines.length;) {
    let last = first;
    let units = lines[first]!.length;
    while (
      last + 1 < lines.length &&
      last + 1 - first < WINDOW_LINES &&
      units + lines[last + 1]!.length < WINDOW_UNITS
    ) {
      last += 1;
      units += lines[last]!.length;
    }
    let [from, to] = [first, last];
    while (from <= to && lines[from]!.trim() === "") from += 1;
    while (to >= from && lines[to]!.trim() === "") to -= 1;
    if (from <= to) {
      chunks.push({
        kind,
        startLine: firstLine + from + 1,
        endLine: firstLine + to + 1,
        name: name ?? lines[from]!.trim().slice(0, NAME_LENGTH),
        scope,
        text: lines.slice(from, to + 1).join("\n"),
      });
    }
    first = last + 1;
  }
  return chunks;
}
