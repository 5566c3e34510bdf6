import { nameParts } from "../../base/index.js";
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
  private pieces = new Interner();
  /** Stem of each piece, as a number. */
  private stems: number[] = [];
  private numbers = new Map<string, number>();
  private names: string[] = [];
  private tallies = new Float64Array(1 << 12);
  private touched: number[] = [];

  /** All words of a text, in order. */
  words(text: string): string[] {
    const found: string[] = [];
    this.scan(text, (word) => found.push(this.names[word]!));
    return found;
  }

  /** Counts over several texts, each word of a text counting as often as its weight says. */
  count(parts: readonly (readonly [text: string, weight: number])[]): WordCounts {
    if (this.pieces.size > REMEMBERED) this.forget();
    let length = 0;
    for (const [text, weight] of parts) {
      this.scan(text, (word) => {
        if (this.tallies[word] === 0) this.touched.push(word);
        this.tallies[word]! += weight;
        length += weight;
      });
    }
    const words = this.touched.map((word) => this.names[word]!);
    const counts = Uint8Array.from(this.touched, (word) => Math.min(255, this.tallies[word]!));
    for (const word of this.touched) this.tallies[word] = 0;
    this.touched = [];
    return { words, counts, length };
  }

  private forget(): void {
    this.pieces = new Interner();
    this.stems = [];
    this.numbers = new Map();
    this.names = [];
  }

  private scan(text: string, visit: (word: number) => void): void {
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
      if (!ascii) this.scanUnicode(text.slice(at, end), visit);
      else if (end - at <= LONGEST_NAME) this.scanName(text, at, end, visit);
      at = end;
    }
  }

  private scanName(text: string, start: number, end: number, visit: (word: number) => void): void {
    let parts = 0;
    for (let at = start; at < end;) {
      const kind = KINDS[text.charCodeAt(at)]!;
      const to = kind === BAR ? at + 1 : partEnd(text, at, end, kind);
      if (kind !== BAR) {
        parts += 1;
        visit(this.stemOf(this.pieces.add(text, at, to)));
      }
      at = to;
    }
    if (parts > 1) visit(this.stemOf(this.pieces.add(text, start, end)));
  }

  private scanUnicode(text: string, visit: (word: number) => void): void {
    for (const [name] of text.matchAll(/[\p{L}\p{M}\p{N}_]+/gu)) {
      if (name.length > LONGEST_NAME) continue;
      const parts = nameParts(name);
      for (const part of parts) visit(this.number(searchStem(part.toLowerCase())));
      if (parts.length > 1) visit(this.number(searchStem(name.replaceAll("_", "").toLowerCase())));
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
