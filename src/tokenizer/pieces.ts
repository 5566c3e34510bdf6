import { enlarged } from "../base/index.js";
import { piecesOf, trainedJson, type TokenizerJson } from "./_format.js";
import { Interner } from "./_interner.js";
import { PieceMerger } from "./_merge.js";

/** Pieces remembered before the memory is emptied: some 60 MB. */
const REMEMBERED = 2 ** 20;
/** Longer runs without white space, where they are not ASCII, are not remembered. */
const LONGEST_STRANGE = 2 ** 14;
/** Characters of such runs before the memory is emptied. */
const STRANGE_REMEMBERED = 2 ** 22;
const CUT = { splitIdentifiers: true, lowercase: true, whitespace: "drop" } as const;

/** What pieces are encoded with: a `Tokenizer`. */
export interface LibraryTokenizer {
  readonly json: TokenizerJson;
  readonly eosId: number;
  encodeIds(texts: readonly string[]): Promise<Int32Array[]>;
  encodeBatchByLibrary(texts: readonly string[], maxLength: number): Promise<Int32Array[]>;
}

/**
 * The same ids as `Tokenizer.encodeBatchByLibrary`, many times faster on many texts, for tokenizers that were trained
 * here with folded case, split identifiers and dropped white space: there a piece (a run of letters, up to three digits, a
 * run of symbols) has the same ids wherever it stands, so that each different one is encoded once and remembered. What stands
 * between white space and holds other characters than ASCII is remembered as a whole. Other tokenizers go the usual way.
 */
export class PieceEncoder {
  private pieces = new Interner();
  private ids: Int32Array[] = [];
  private readonly merger: PieceMerger | undefined;
  /** Whether the tokenizer is one of those. */
  readonly fast: boolean;
  /** What is not ASCII, numbered -1, -2, ... */
  private strange = new Map<string, number>();
  private strangeIds: Int32Array[] = [];
  private strangeLength = 0;
  private scratch = new Int32Array(512);
  private found = new Int32Array(512);
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly tokenizer: LibraryTokenizer) {
    const { json } = tokenizer;
    const ours = trainedJson(CUT, []);
    const same = (key: "normalizer" | "pre_tokenizer"): boolean =>
      JSON.stringify(json[key]) === JSON.stringify(ours[key]);
    this.fast = json.model.type === "BPE" && same("normalizer") && same("pre_tokenizer");
    this.merger = this.fast ? PieceMerger.of(json) : undefined;
  }

  /** Ids of at most `maxLength - 1` tokens and the end-of-sequence token, for each text. */
  async encode(texts: readonly string[], maxLength: number): Promise<Int32Array[]> {
    if (!this.fast) return this.tokenizer.encodeBatchByLibrary(texts, maxLength);
    // One call after the other: a piece may be numbered already and its ids still on their way.
    const mine = this.last.then(() => this.encodeNow(texts, maxLength));
    this.last = mine.catch(() => undefined);
    return mine;
  }

  private async encodeNow(texts: readonly string[], maxLength: number): Promise<Int32Array[]> {
    if (this.pieces.size > REMEMBERED || this.strangeLength > STRANGE_REMEMBERED) {
      this.pieces = new Interner();
      this.ids = [];
      this.strange = new Map();
      this.strangeIds = [];
      this.strangeLength = 0;
    }
    const [known, knownStrange] = [this.pieces.size, this.strange.size];
    const cut = texts.map((text) => this.scan(text, maxLength));
    const others = texts.filter((_, i) => cut[i] === undefined);
    const [, encoded] = await Promise.all([
      this.encodePieces(known, knownStrange),
      others.length === 0 ? [] : this.tokenizer.encodeBatchByLibrary(others, maxLength),
    ]);
    let next = 0;
    return cut.map((pieces) => (pieces === undefined ? encoded[next++]! : this.joined(pieces, maxLength)));
  }

  /** Fills in the ids of the pieces from those numbers on. */
  private async encodePieces(first: number, firstStrange: number): Promise<void> {
    const asked: { word: string; into: Int32Array[]; at: number }[] = [];
    for (let at = first; at < this.pieces.size; at++) {
      const ids = this.merger?.encode(this.pieces.bytes(at));
      if (ids === undefined) asked.push({ word: this.pieces.word(at), into: this.ids, at });
      else this.ids[at] = ids;
    }
    let at = 0;
    for (const word of this.strange.size > firstStrange ? this.strange.keys() : []) {
      if (at >= firstStrange) {
        const ids = this.merged(word);
        if (ids === undefined) asked.push({ word, into: this.strangeIds, at });
        else this.strangeIds[at] = ids;
      }
      at += 1;
    }
    if (asked.length === 0) return;
    const encoded = await this.tokenizer.encodeIds(asked.map(({ word }) => word));
    asked.forEach(({ into, at: place }, i) => (into[place] = encoded[i]!));
  }

  /** Ids of what is not ASCII, where the library need not be asked. */
  private merged(word: string): Int32Array | undefined {
    const ids: number[] = [];
    for (const piece of (this.merger && piecesOf(word)) ?? [undefined]) {
      const some = piece === undefined ? undefined : this.merger!.encode(Buffer.from(piece));
      if (some === undefined) return undefined;
      for (const id of some) ids.push(id);
    }
    return Int32Array.from(ids);
  }

  private joined(pieces: Int32Array, maxLength: number): Int32Array {
    if (maxLength > this.scratch.length) this.scratch = new Int32Array(maxLength);
    const { scratch: out, ids: known, strangeIds } = this;
    let length = 0;
    for (let i = 0; i < pieces.length && length < maxLength - 1; i++) {
      const piece = pieces[i]!;
      const ids = piece < 0 ? strangeIds[-1 - piece]! : known[piece]!;
      for (let j = 0; j < ids.length && length < maxLength - 1; j++) out[length++] = ids[j]!;
    }
    out[length++] = this.tokenizer.eosId;
    return out.slice(0, length);
  }

  /** The pieces of a text, enough for `limit` tokens; undefined for one that the library must read. */
  private scan(text: string, limit: number): Int32Array | undefined {
    if (text.length > this.found.length && limit > this.found.length) {
      this.found = new Int32Array(Math.min(text.length, limit));
    }
    let count = 0;
    let empty = 0; // Pieces that may have no token.
    let run = 0; // Where what stands between white space begins, and its first piece.
    let runCount = 0;
    for (let at = 0; at < text.length && count - empty < limit;) {
      const code = text.charCodeAt(at);
      const kind = code < 128 ? KINDS[code]! : -1;
      if (kind === SEPARATOR) {
        at += 1;
        [run, runCount] = [at, count];
        continue;
      }
      let end = kind < 0 ? -1 : pieceEnd(text, at, kind);
      let piece: number;
      if (end < 0) {
        end = runEnd(text, at);
        if (end - run > LONGEST_STRANGE) return undefined;
        count = runCount;
        empty += 1;
        piece = this.strangePiece(text.slice(run, end));
      } else piece = this.pieces.add(text, at, end);
      if (count === this.found.length) this.found = enlarged(this.found);
      this.found[count++] = piece;
      at = end;
    }
    return this.found.slice(0, count);
  }

  private strangePiece(word: string): number {
    let piece = this.strange.get(word);
    if (piece === undefined) {
      piece = -1 - this.strange.size;
      this.strangeLength += word.length;
      // A copy: the slice would keep the whole text in memory.
      this.strange.set(Buffer.from(word, "utf16le").toString("utf16le"), piece);
    }
    return piece;
  }
}

/** Where white space follows. */
function runEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && !(text.charCodeAt(at) < 128 && KINDS[text.charCodeAt(at)] === SEPARATOR)) at += 1;
  return at;
}

const SEPARATOR = 0;
const LOWER = 1;
const UPPER = 2;
const DIGIT = 3;
const SYMBOL = 4;

const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code === 95 || code === 32 || (code >= 9 && code <= 13)) return SEPARATOR;
  if (code >= 97 && code <= 122) return LOWER;
  if (code >= 65 && code <= 90) return UPPER;
  return code >= 48 && code <= 57 ? DIGIT : SYMBOL;
});

/** Where the piece that starts at `start` ends; -1 where a character follows that is not ASCII. */
function pieceEnd(text: string, start: number, kind: number): number {
  let at = start + 1;
  let last = kind;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 128) return -1;
    const next = KINDS[code]!;
    if (kind === DIGIT || kind === SYMBOL) {
      if (next !== kind || (kind === DIGIT && at - start === 3)) return at;
      continue;
    }
    if (next !== LOWER && next !== UPPER) return at;
    // fooBar is cut before B, HTTPServer before the S.
    if (next === UPPER && last === LOWER) return at;
    if (next === LOWER && last === UPPER && at - start > 1) return at - 1;
    last = next;
  }
  return at;
}
