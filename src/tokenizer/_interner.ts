import { enlarged } from "../base/index.js";

const LEFT_OUT = 255;
const EXACT = Uint8Array.from({ length: 128 }, (_, code) => code);
const FOLDED = EXACT.map((code) => (code >= 65 && code <= 90 ? code + 32 : code === 95 ? LEFT_OUT : code));

/**
 * Gives equal words equal small numbers, without making a string of each: what a scanner of megabytes needs. A word is a
 * range of an ASCII text; letters are folded to lower case and `_` is left out, unless words are to be told apart exactly.
 */
export class Interner {
  private slots = new Int32Array(1 << 12).fill(-1);
  private pool = new Uint8Array(1 << 15);
  private starts = new Int32Array((1 << 11) + 1);
  private hashes = new Int32Array(1 << 11);
  private scratch = new Uint8Array(256);
  /** Words so far; they are numbered 0, 1, ... in order of their first appearance. */
  size = 0;
  private readonly codes: Uint8Array;

  /** @param exact words of other case or with `_` elsewhere are others */
  constructor(exact = false) {
    this.codes = exact ? EXACT : FOLDED;
  }

  /** The number of the word at `text.slice(start, end)`. Every code unit there must be below 128. */
  add(text: string, start: number, end: number): number {
    if (end - start > this.scratch.length) this.scratch = new Uint8Array(2 * (end - start));
    const { scratch, codes } = this;
    let hash = 0x811c9dc5 | 0;
    let length = 0;
    for (let at = start; at < end; at++) {
      const code = codes[text.charCodeAt(at)]!;
      if (code === LEFT_OUT) continue;
      scratch[length++] = code;
      hash = Math.imul(hash ^ code, 0x01000193);
    }
    hash ^= hash >>> 15;
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (let index = this.slots[slot]!; index >= 0; slot = (slot + 1) & mask, index = this.slots[slot]!) {
      if (this.hashes[index] === hash && this.isAt(index, length)) return index;
    }
    return this.insert(slot, hash, length);
  }

  /** The word with a number. */
  word(index: number): string {
    let word = "";
    for (let at = this.starts[index]!; at < this.starts[index + 1]!; at++) word += String.fromCharCode(this.pool[at]!);
    return word;
  }

  /** The bytes of the word with a number, valid until the next word is added. */
  bytes(index: number): Uint8Array {
    return this.pool.subarray(this.starts[index]!, this.starts[index + 1]!);
  }

  private isAt(index: number, length: number): boolean {
    const from = this.starts[index]!;
    if (this.starts[index + 1]! - from !== length) return false;
    for (let i = 0; i < length; i++) if (this.pool[from + i] !== this.scratch[i]) return false;
    return true;
  }

  private insert(slot: number, hash: number, length: number): number {
    const index = this.size++;
    if (this.size >= this.hashes.length) {
      this.starts = enlarged(this.starts);
      this.hashes = enlarged(this.hashes);
    }
    const from = this.starts[index]!;
    if (from + length > this.pool.length) this.pool = enlarged(this.pool, from + length);
    this.pool.set(this.scratch.subarray(0, length), from);
    this.starts[index + 1] = from + length;
    this.hashes[index] = hash;
    this.slots[slot] = index;
    if (2 * this.size > this.slots.length) this.rehash();
    return index;
  }

  private rehash(): void {
    const slots = new Int32Array(2 * this.slots.length).fill(-1);
    const mask = slots.length - 1;
    for (let index = 0; index < this.size; index++) {
      let slot = this.hashes[index]! & mask;
      while (slots[slot]! >= 0) slot = (slot + 1) & mask;
      slots[slot] = index;
    }
    this.slots = slots;
  }
}
