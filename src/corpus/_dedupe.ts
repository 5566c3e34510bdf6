import { createHash } from "node:crypto";
import type { Language } from "../base/index.js";
import type { Split } from "./types.js";

/** A hash of a code's tokens: white space does not count, nor does the placing of line breaks. */
export function tokenHash(code: string): string {
  const tokens = code.match(/[\p{L}\p{N}_$]+|[^\s\p{L}\p{N}_$]/gu) ?? [];
  return createHash("sha256").update(tokens.join(" ")).digest("base64url").slice(0, 22);
}

/** Remembers hashes: the first of equal texts is kept. About 100 bytes for each one. */
export class Seen {
  private readonly hashes = new Set<string>();

  /** True the first time a text with these tokens comes. */
  isNew(code: string): boolean {
    const hash = tokenHash(code);
    if (this.hashes.has(hash)) return false;
    this.hashes.add(hash);
    return true;
  }
}

/** Keeps a summary from coming back too often, and from standing on both sides of a split. */
export class SummaryCap {
  private readonly counts = new Map<string, { count: number; split: Split }>();

  constructor(private readonly maxRepeats: number) {}

  /** Undefined where the summary is welcome, else why not. Held-out data must come first. */
  refuse(summary: string, lang: Language, split: Split): "repeated-summary" | "summary-held-out" | undefined {
    const key = `${lang}\n${summary
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, " ")
      .trim()}`;
    const known = this.counts.get(key);
    if (known === undefined) {
      this.counts.set(key, { count: 1, split });
      return undefined;
    }
    if (known.split !== split) return "summary-held-out";
    if (known.count >= this.maxRepeats) return "repeated-summary";
    known.count += 1;
    return undefined;
  }
}
