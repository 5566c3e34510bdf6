import { byteSymbols, type TokenizerJson } from "./_format.js";

/** One above the largest id: two ids make one exact number. */
const RADIX = 2 ** 26;

/**
 * Byte-pair encoding of single pieces of ASCII, as the library does it: the pair that was merged first in training is merged
 * first, the leftmost of equals before the others, until none is left.
 */
export class PieceMerger {
  /** By `left * RADIX + right`: the place among the merges, and the id of what the pair becomes. */
  private readonly merges = new Map<number, { readonly rank: number; readonly id: number }>();
  private readonly bytes = new Int32Array(128);

  private constructor() {}

  /** Undefined for files that this does not read: others than plain byte-level BPE with all of ASCII. */
  static of({ model }: TokenizerJson): PieceMerger | undefined {
    const { vocab, merges } = model;
    if (model.type !== "BPE" || Array.isArray(vocab) || merges === undefined) return undefined;
    const plain = [
      "dropout",
      "unk_token",
      "continuing_subword_prefix",
      "end_of_word_suffix",
      "fuse_unk",
      "byte_fallback",
      "ignore_merges",
    ];
    if (plain.some((option) => (model[option] ?? false) !== false)) return undefined;
    const merger = new PieceMerger();
    const ids = new Map(Object.entries(vocab));
    const symbols = byteSymbols();
    for (let byte = 0; byte < 128; byte++) {
      const id = ids.get(symbols[byte]!);
      if (id === undefined) return undefined;
      merger.bytes[byte] = id;
    }
    for (const [rank, merge] of merges.entries()) {
      if (typeof merge === "string") return undefined;
      const [left, right] = [ids.get(merge[0]), ids.get(merge[1])];
      const id = ids.get(merge[0] + merge[1]);
      if (left === undefined || right === undefined || id === undefined) return undefined;
      merger.merges.set(left * RADIX + right, { rank, id });
    }
    return merger;
  }

  /** Ids of a piece. Every code unit must be below 128. */
  encode(piece: string): Int32Array {
    const ids = new Int32Array(piece.length);
    for (let i = 0; i < ids.length; i++) ids[i] = this.bytes[piece.charCodeAt(i)]!;
    let length = ids.length;
    for (;;) {
      let [best, at, id] = [Infinity, -1, 0];
      for (let i = 0; i + 1 < length; i++) {
        const merge = this.merges.get(ids[i]! * RADIX + ids[i + 1]!);
        if (merge !== undefined && merge.rank < best) [best, at, id] = [merge.rank, i, merge.id];
      }
      if (at < 0) return ids.slice(0, length);
      ids[at] = id;
      length -= 1;
      for (let i = at + 1; i < length; i++) ids[i] = ids[i + 1]!; // Pieces are short: a call would cost more.
    }
  }
}
