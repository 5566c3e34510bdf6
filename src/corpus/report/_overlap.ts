import { isWord, pieces } from "./_pieces.js";
import type { CorpusPair } from "../types.js";

/** Shares of a function's tokens that its documentation says too, 0 .. 1. */
export interface Overlap {
  readonly signature: number;
  readonly body: number;
}

/** Tokens of one part of the functions, and how many of them the text holds. */
class PartCount {
  private total = 0;
  private found = 0;

  add(tokens: readonly string[], said: ReadonlySet<string>): void {
    this.total += tokens.length;
    for (const token of tokens) if (said.has(token)) this.found += 1;
  }

  get share(): number {
    return this.total === 0 ? 0 : this.found / this.total;
  }
}

class OverlapCount {
  private readonly signature = new PartCount();
  private readonly body = new PartCount();

  add(signature: readonly string[], body: readonly string[], said: readonly string[]): void {
    const set = new Set(said);
    this.signature.add(signature, set);
    this.body.add(body, set);
  }

  get shares(): Overlap {
    return { signature: this.signature.share, body: this.body.share };
  }
}

/**
 * How much of the signatures and bodies is said in the documentation too: occurrences of tokens whose lower-case form
 * stands there, over all occurrences of all pairs.
 */
export class OverlapTally {
  private readonly counts = {
    summary: new OverlapCount(),
    docstring: new OverlapCount(),
    summaryWords: new OverlapCount(),
    docstringWords: new OverlapCount(),
  };

  add(pair: Pick<CorpusPair, "signature" | "body" | "summary" | "docstring">): void {
    const signature = lower(pair.signature);
    const body = lower(pair.body);
    const summary = lower(pair.summary);
    this.counts.summary.add(signature, body, summary);
    const words = [signature.filter(isWord), body.filter(isWord)] as const;
    this.counts.summaryWords.add(...words, summary.filter(isWord));
    const documentation = lower(pair.docstring);
    this.counts.docstring.add(signature, body, documentation);
    this.counts.docstringWords.add(...words, documentation.filter(isWord));
  }

  /** Over all tokens, marks included, and over words and numbers alone. */
  summary(): { tokens: { summary: Overlap; docstring: Overlap }; words: { summary: Overlap; docstring: Overlap } } {
    const { summary, docstring, summaryWords, docstringWords } = this.counts;
    return {
      tokens: { summary: summary.shares, docstring: docstring.shares },
      words: { summary: summaryWords.shares, docstring: docstringWords.shares },
    };
  }
}

function lower(text: string): string[] {
  return pieces(text).map((piece) => piece.toLowerCase());
}
