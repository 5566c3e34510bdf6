import { readFile, stat } from "node:fs/promises";

/** Why a file is not searched. */
export type SkipReason = "too large" | "binary" | "not UTF-8" | "machine-made" | "empty" | "unreadable";

/** Lines longer than this on average are minified code or data, which say nothing to a reader. */
const LONGEST_AVERAGE_LINE = 500;

/** A file's text, or why it is passed over. */
export async function readText(path: string, maxBytes: number): Promise<{ text: string } | { skipped: SkipReason }> {
  let bytes: Buffer;
  try {
    if ((await stat(path)).size > maxBytes) return { skipped: "too large" };
    bytes = await readFile(path);
  } catch {
    return { skipped: "unreadable" };
  }
  if (bytes.includes(0)) return { skipped: "binary" };
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    return { skipped: "not UTF-8" };
  }
  if (text.trim() === "") return { skipped: "empty" };
  const lines = text.split("\n").length;
  return text.length / lines > LONGEST_AVERAGE_LINE ? { skipped: "machine-made" } : { text };
}

/** Refuses what is not UTF-8 instead of replacing it. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });
