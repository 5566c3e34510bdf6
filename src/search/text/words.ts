import { enlarged, nameParts } from "../../base/index.js";
import { Interner } from "../../tokenizer/index.js";
import { searchStem } from "./stem.js";

/** Longer runs are keys and blobs, which nobody looks for by a part. */
const LONGEST_NAME = 64;
const REMEMBERED = 2 ** 20;

/** How often each word of some texts occurs, in the order of first appearance. */
export interface WordCounts {
  readonly words: string[];
  /** At most 255. */
  readonly counts: Uint8Array;
  /** Sum of counts before they were capped. */
  readonly length: number;
}

/**
 * Cuts code and prose into the words that lexical search compares: every name's parts (at everything that is neither letter
 * nor digit, at `_`, at camelCase humps, between letters and digits) and a name of several parts once more as a whole;
 * lower case, English endings taken off. Words are remembered by number, so that a repository is cut at some 50 MB/s.
 *
 * @example
 * new WordScanner().words("parseHTTPResponses2 of max_value");
 * // ["pars", "http", "respons", "2", "parsehttpresponses2", "of", "max", "valu", "maxvalu"]
 */
export class WordScanner {
  /** Names as they are written; the words of number n are `wordPool[wordStarts[n]]` to `wordPool[wordStarts[n + 1] - 1]`. */
  private written = new Interner(true);
  private wordStarts = new Int32Array(1 << 11);
  private wordPool = new Int32Array(1 << 12);
  private pieces = new Interner();
  /** Stem of each piece, as a number. */
  private stems: number[] = [];
  private numbers = new Map<string, number>();
  private names: string[] = [];
  private tallies = new Float64Array(1 << 12);
  private touched = new Int32Array(1 << 10);
  /** Words of the text that was scanned last, in order. */
  private found = new Int32Array(1 << 12);
  private foundCount = 0;

  /** All words of a text, in order. */
  words(text: string): string[] {
    this.scan(text);
    return Array.from(this.found.subarray(0, this.foundCount), (word) => this.names[word]!);
  }

  /** Counts over several texts, each word of a text counting as often as its weight says. */
  count(parts: readonly (readonly [text: string, weight: number])[]): WordCounts {
    if (this.pieces.size > REMEMBERED || this.written.size > REMEMBERED) this.forget();
    let length = 0;
    let different = 0;
    for (const [text, weight] of parts) {
      this.scan(text);
      const { found, foundCount, tallies } = this;
      if (different + foundCount > this.touched.length) this.touched = enlarged(this.touched, different + foundCount);
      for (let i = 0; i < foundCount; i++) {
        const word = found[i]!;
        if (tallies[word] === 0) this.touched[different++] = word;
        tallies[word]! += weight;
      }
      length += weight * foundCount;
    }
    const words = new Array<string>(different);
    const counts = new Uint8Array(different);
    for (let i = 0; i < different; i++) {
      const word = this.touched[i]!;
      words[i] = this.names[word]!;
      counts[i] = Math.min(255, this.tallies[word]!);
      this.tallies[word] = 0;
    }
    return { words, counts, length };
  }

  private forget(): void {
    this.written = new Interner(true);
    this.pieces = new Interner();
    this.stems = [];
    this.numbers = new Map();
    this.names = [];
  }

  private scan(text: string): void {
    this.foundCount = 0;
    for (let at = 0; at < text.length;) {
      const code = text.charCodeAt(at);
      if (code < 128 && KINDS[code] === 0) {
        at += 1;
        continue;
      }
      let end = at;
      let ascii = true;
      for (; end < text.length; end++) {
        const next = text.charCodeAt(end);
        if (next >= 128) ascii = false;
        else if (KINDS[next] === 0) break;
      }
      if (!ascii) this.scanUnicode(text.slice(at, end));
      else if (end - at <= LONGEST_NAME) this.visitName(text, at, end);
      at = end;
    }
  }

  /** A name that was seen before, written the same, is not cut again. */
  private visitName(text: string, start: number, end: number): void {
    const known = this.written.size;
    const name = this.written.add(text, start, end);
    if (name < known) {
      const to = this.wordStarts[name + 1]!;
      for (let at = this.wordStarts[name]!; at < to; at++) this.visit(this.wordPool[at]!);
      return;
    }
    const before = this.foundCount;
    this.scanName(text, start, end);
    const count = this.foundCount - before;
    if (name + 1 >= this.wordStarts.length) this.wordStarts = enlarged(this.wordStarts, name + 2);
    const from = name === 0 ? 0 : this.wordStarts[name]!;
    if (from + count > this.wordPool.length) this.wordPool = enlarged(this.wordPool, from + count);
    this.wordPool.set(this.found.subarray(before, this.foundCount), from);
    this.wordStarts[name + 1] = from + count;
  }

  private scanName(text: string, start: number, end: number): void {
    let parts = 0;
    for (let at = start; at < end;) {
      const kind = KINDS[text.charCodeAt(at)]!;
      const to = kind === BAR ? at + 1 : partEnd(text, at, end, kind);
      if (kind !== BAR) {
        parts += 1;
        this.visit(this.stemOf(this.pieces.add(text, at, to)));
      }
      at = to;
    }
    if (parts > 1) this.visit(this.stemOf(this.pieces.add(text, start, end)));
  }

  private visit(word: number): void {
    if (this.foundCount === this.found.length) this.found = enlarged(this.found);
    this.found[this.foundCount++] = word;
  }

  private scanUnicode(text: string): void {
    for (const [name] of text.matchAll(/[\p{L}\p{M}\p{N}_]+/gu)) {
      if (name.length > LONGEST_NAME) continue;
      const parts = nameParts(name);
      for (const part of parts) this.visit(this.number(searchStem(part.toLowerCase())));
      if (parts.length > 1) this.visit(this.number(searchStem(name.replaceAll("_", "").toLowerCase())));
    }
  }

  private stemOf(piece: number): number {
    return (this.stems[piece] ??= this.number(searchStem(this.pieces.word(piece))));
  }

  private number(word: string): number {
    const known = this.numbers.get(word);
    if (known !== undefined) return known;
    const number = this.names.length;
    this.names.push(word);
    this.numbers.set(word, number);
    if (number >= this.tallies.length) {
      const larger = new Float64Array(2 * this.tallies.length);
      larger.set(this.tallies);
      this.tallies = larger;
    }
    return number;
  }
}

const LOWER = 1;
const UPPER = 2;
const DIGIT = 3;
const BAR = 4;

/** 0 for what is in no name. */
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code >= 97 && code <= 122) return LOWER;
  if (code >= 65 && code <= 90) return UPPER;
  if (code >= 48 && code <= 57) return DIGIT;
  return code === 95 ? BAR : 0;
});

function partEnd(text: string, start: number, end: number, kind: number): number {
  let last = kind;
  let at = start + 1;
  for (; at < end; at++) {
    const next = KINDS[text.charCodeAt(at)]!;
    if (next === BAR || (kind === DIGIT) !== (next === DIGIT)) return at;
    if (next === UPPER && last === LOWER) return at;
    if (next === LOWER && last === UPPER && at - start > 1) return at - 1;
    last = next;
  }
  return at;
}
