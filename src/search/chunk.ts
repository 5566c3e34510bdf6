import type { Language } from "../base/index.js";
import { languageOfPath, loadLanguage } from "../languages/index.js";

/** A piece of a file that is found as a whole. */
export interface Chunk {
  /** 1-based, inclusive. A function's documentation above it is part of `text` but not of its lines. */
  readonly startLine: number;
  readonly endLine: number;
  /** The function's name; for a window of lines, the start of its first line. */
  readonly name: string;
  /** What is embedded. */
  readonly text: string;
}

const WINDOW_LINES = 40;
const WINDOW_UNITS = 2000;
const NAME_LENGTH = 60;

/**
 * Cuts a file into functions, each with its documentation; a file of another kind, or one without functions, into
 * windows of lines.
 */
export async function chunkFile(path: string, text: string): Promise<Chunk[]> {
  const language = languageOfPath(path);
  const functions = language === undefined ? [] : await functionChunks(text, language);
  return functions.length > 0 ? functions : windowChunks(text);
}

async function functionChunks(text: string, language: Language): Promise<Chunk[]> {
  const parser = await loadLanguage(language);
  return parser.extractFunctions(text).map(({ name, start, end, startLine, endLine, docSpan }) => ({
    name,
    startLine,
    endLine,
    // Python's documentation is inside the function, the others' before it.
    text: text.slice(Math.min(start, docSpan?.[0] ?? start), end),
  }));
}

/** Runs of at most 40 lines or 2,000 characters; blank ones are left out. */
export function windowChunks(text: string): Chunk[] {
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
    const held = lines.slice(first, last + 1);
    const title = held.find((line) => line.trim() !== "");
    if (title !== undefined) {
      const name = title.trim().slice(0, NAME_LENGTH);
      chunks.push({ startLine: first + 1, endLine: last + 1, name, text: held.join("\n") });
    }
    first = last + 1;
  }
  return chunks;
}
