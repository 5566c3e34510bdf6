import { codeWords } from "./words.js";
import type { RetrievalSet } from "./sets.js";
import type { ScoreBlock } from "./retrieval.js";

export interface Bm25Options {
  /** How fast repeated words stop counting; default 1.2. */
  readonly k1?: number;
  /** How much long documents are held against themselves, 0 .. 1; default 0.75. */
  readonly b?: number;
  /** Words of a text; default {@link codeWords}. */
  readonly tokenize?: (text: string) => readonly string[];
}

/**
 * The lexical baseline: Okapi BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, eq. 3.15) over
 * an inverted index, with Lucene's never negative idf:
 *
 *     score(q, d) = sum over words w of q of  ln(1 + (N - df + 0.5) / (df + 0.5)) * tf / (tf + k1 (1 - b + b |d| / mean |d|))
 */
export class Bm25 {
  private readonly postings = new Map<string, { docs: number[]; weights: number[] }>();
  private readonly tokenize: (text: string) => readonly string[];
  readonly size: number;

  constructor(documents: readonly string[], { k1 = 1.2, b = 0.75, tokenize = codeWords }: Bm25Options = {}) {
    this.tokenize = tokenize;
    this.size = documents.length;
    const lengths: number[] = [];
    documents.forEach((text, d) => {
      const words = tokenize(text);
      lengths.push(words.length);
      for (const word of words) this.count(word, d);
    });
    const mean = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
    for (const { docs, weights } of this.postings.values()) {
      const idf = Math.log(1 + (this.size - docs.length + 0.5) / (docs.length + 0.5));
      docs.forEach((d, i) => {
        const tf = weights[i]!;
        weights[i] = (idf * tf) / (tf + k1 * (1 - b + (b * lengths[d]!) / mean));
      });
    }
  }

  /** Scores of all documents for one query, into `out` [documents]. */
  scores(query: string, out: Float32Array = new Float32Array(this.size)): Float32Array {
    out.fill(0);
    for (const word of this.tokenize(query)) {
      const posting = this.postings.get(word);
      if (posting === undefined) continue;
      const { docs, weights } = posting;
      for (let i = 0; i < docs.length; i++) out[docs[i]!]! += weights[i]!;
    }
    return out;
  }

  private count(word: string, doc: number): void {
    let posting = this.postings.get(word);
    if (posting === undefined) this.postings.set(word, (posting = { docs: [], weights: [] }));
    const last = posting.docs.length - 1;
    if (posting.docs[last] === doc) posting.weights[last]! += 1;
    else {
      posting.docs.push(doc);
      posting.weights.push(1);
    }
  }
}

/** BM25 over a set's documents, as {@link evaluateScores} takes it. */
export function bm25(set: RetrievalSet, options?: Bm25Options): ScoreBlock {
  const index = new Bm25(
    set.docs.map(({ text }) => text),
    options,
  );
  const count = set.docs.length;
  return (from, to, out) => {
    for (let q = from; q < to; q++)
      index.scores(set.queries[q]!.text, out.subarray((q - from) * count, (q - from + 1) * count));
  };
}
