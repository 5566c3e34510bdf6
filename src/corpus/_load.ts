import { readFile } from "node:fs/promises";
import { excludedByText } from "./filters/index.js";
import type { SourceFile } from "./_list.js";

/** A file's text, or why it is passed over. */
export async function loadText(file: SourceFile, maxBytes: number): Promise<{ text: string } | { reason: string }> {
  // The size is known from the listing: a huge file is never read.
  if (file.bytes > maxBytes) return { reason: "too-large" };
  let bytes: Buffer;
  try {
    bytes = await readFile(file.absolute);
  } catch {
    return { reason: "unreadable" };
  }
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    return { reason: "not-utf8" };
  }
  const reason = excludedByText(text, file.lang);
  return reason === undefined ? { text } : { reason };
}

/** Refuses what is not UTF-8 instead of replacing it, and takes a byte order mark off. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });
