import { byteSymbols, type TokenizerJson } from "./_format.js";

/** Longer pieces are merged by the library: the time here grows with the square of the length. */
const LONGEST = 1024;

/**
 * Byte-pair encoding of single pieces, as the library does it: the pair that was merged first in training is merged
 * first, the leftmost of equals before the others, until none is left.
 */
export class PieceMerger {
  /** Ids of the 256 bytes. */
  private readonly bytes = new Int32Array(256);
  /** A hash table of pairs: left, right, the place among the merges, and the id of what the pair becomes; -1 where free. */
  private readonly table: Int32Array;
  private readonly mask: number;
  private readonly ids = new Int32Array(LONGEST);
  /** Where in the table each symbol's pair with the next one is; -1 for none. */
  private readonly pairs = new Int32Array(LONGEST);

  private constructor(merges: number) {
    const slots = 2 ** Math.ceil(Math.log2(2 * merges + 2));
    this.mask = slots - 1;
    this.table = new Int32Array(4 * slots).fill(-1);
  }

  /** Undefined for files that this does not read: others than plain byte-level BPE with all bytes. */
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
    const merger = new PieceMerger(merges.length);
    const ids = new Map(Object.entries(vocab));
    for (const [byte, symbol] of byteSymbols().entries()) {
      const id = ids.get(symbol);
      if (id === undefined) return undefined;
      merger.bytes[byte] = id;
    }
    for (const [rank, merge] of merges.entries()) {
      if (typeof merge === "string") return undefined;
      const [left, right] = [ids.get(merge[0]), ids.get(merge[1])];
      const id = ids.get(merge[0] + merge[1]);
      if (left === undefined || right === undefined || id === undefined) return undefined;
      const at = merger.slot(left, right);
      if (merger.table[at]! >= 0) return undefined; // Listed twice: the library knows which one counts.
      merger.table.set([left, right, rank, id], at);
    }
    return merger;
  }

  /** Ids of a piece's UTF-8 bytes; undefined for a longer one than is merged here. */
  encode(piece: Uint8Array): Int32Array | undefined {
    const { ids, pairs, table } = this;
    let length = piece.length;
    if (length > LONGEST) return undefined;
    for (let i = 0; i < length; i++) ids[i] = this.bytes[piece[i]!]!;
    for (let i = 0; i + 1 < length; i++) pairs[i] = this.pair(i);
    for (;;) {
      let [best, at] = [Infinity, -1];
      for (let i = 0; i + 1 < length; i++) {
        const pair = pairs[i]!;
        if (pair >= 0 && table[pair + 2]! < best) [best, at] = [table[pair + 2]!, i];
      }
      if (at < 0) return ids.slice(0, length);
      ids[at] = table[pairs[at]! + 3]!;
      length -= 1;
      for (let i = at + 1; i < length; i++) {
        ids[i] = ids[i + 1]!;
        pairs[i] = pairs[i + 1]!;
      }
      if (at > 0) pairs[at - 1] = this.pair(at - 1);
      if (at + 1 < length) pairs[at] = this.pair(at);
    }
  }

  private pair(i: number): number {
    const at = this.slot(this.ids[i]!, this.ids[i + 1]!);
    return this.table[at]! < 0 ? -1 : at;
  }

  /** Where a pair is in the table, or would be. */
  private slot(left: number, right: number): number {
    const { table, mask } = this;
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    hash ^= hash >>> 15;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = 4 * slot;
      if (table[at]! < 0 || (table[at] === left && table[at + 1] === right)) return at;
    }
  }
}
