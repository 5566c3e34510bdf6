import { CHUNK_KINDS } from "../chunks/types.js";
import { TIERS, type FileRecord, type IndexMeta, type NewChunk, type Tier } from "./store.js";
import { bytesOf, view, type Sections } from "./_sections.js";
import { VectorTable } from "./_vectors.js";

/** A file's place in a state: chunks `first` to `first + count - 1`. Files that changed or went stay for a while. */
export interface FileEntry {
  readonly file: FileRecord;
  readonly first: number;
  readonly count: number;
  readonly live: boolean;
}

/** An index in memory: columns over chunks, and postings by word. Never changed, only replaced. */
export interface State {
  readonly generation: number;
  readonly meta: IndexMeta;
  readonly files: readonly FileEntry[];
  readonly fileOf: Uint32Array;
  readonly startLine: Uint32Array;
  readonly endLine: Uint32Array;
  readonly kind: Uint8Array;
  readonly length: Uint32Array;
  readonly names: readonly string[];
  /** Joined by U+0001. */
  readonly scopes: readonly string[];
  readonly hashes: readonly string[];
  /** Sorted by code units. */
  readonly words: readonly string[];
  /** Postings of word w: `offsets[w]` to `offsets[w + 1]`, chunks ascending. */
  readonly offsets: Uint32Array;
  readonly chunks: Uint32Array;
  readonly counts: Uint8Array;
  readonly vectors: Readonly<Partial<Record<Tier, VectorTable>>>;
}

export const SCOPE_MARK = "\u0001";

export function emptyState(): State {
  const none = new Uint32Array(0);
  return {
    generation: 0,
    meta: { chunker: 0, models: {} },
    files: [],
    fileOf: none,
    startLine: none,
    endLine: none,
    kind: new Uint8Array(0),
    length: none,
    names: [],
    scopes: [],
    hashes: [],
    words: [],
    offsets: new Uint32Array(1),
    chunks: none,
    counts: new Uint8Array(0),
    vectors: {},
  };
}

/** What {@link nextState} starts from and adds. */
export interface Next {
  readonly meta: IndexMeta;
  readonly generation: number;
  readonly files: readonly FileEntry[];
  /** New id of each old chunk; -1 for those dropped. Ascending. */
  readonly remap: Int32Array;
  readonly added: readonly { readonly chunk: NewChunk; readonly file: number }[];
}

/** The old chunks that stay, then the added ones. */
export function nextState(old: State, { meta, generation, files, remap, added }: Next): State {
  const kept: number[] = [];
  remap.forEach((to, from) => {
    if (to >= 0) kept.push(from);
  });
  const column = (from: Uint32Array, value: (item: (typeof added)[number]) => number): Uint32Array => {
    const out = new Uint32Array(kept.length + added.length);
    kept.forEach((id, i) => (out[i] = from[id]!));
    added.forEach((item, i) => (out[kept.length + i] = value(item)));
    return out;
  };
  const fileOf = new Uint32Array(kept.length + added.length);
  files.forEach(({ first, count }, file) => fileOf.fill(file, first, first + count));
  const kind = new Uint8Array(kept.length + added.length);
  kept.forEach((id, i) => (kind[i] = old.kind[id]!));
  added.forEach(({ chunk }, i) => (kind[kept.length + i] = CHUNK_KINDS.indexOf(chunk.kind)));
  const strings = (from: readonly string[], value: (chunk: NewChunk) => string): string[] => [
    ...kept.map((id) => from[id]!),
    ...added.map(({ chunk }) => value(chunk)),
  ];
  const hashes = strings(old.hashes, (chunk) => chunk.hash);
  return {
    generation,
    meta,
    files,
    fileOf,
    startLine: column(old.startLine, ({ chunk }) => chunk.startLine),
    endLine: column(old.endLine, ({ chunk }) => chunk.endLine),
    kind,
    length: column(old.length, ({ chunk }) => chunk.length),
    names: strings(old.names, (chunk) => oneLine(chunk.name)),
    scopes: strings(old.scopes, (chunk) => chunk.scope.map(oneLine).join(SCOPE_MARK)),
    hashes,
    ...postings(old, remap, kept.length, added),
    vectors: nextVectors(old, meta, kept, added, hashes),
  };
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}

function postings(
  old: State,
  remap: Int32Array,
  base: number,
  added: Next["added"],
): Pick<State, "words" | "offsets" | "chunks" | "counts"> {
  const fresh = freshPostings(base, added);
  const freshWords = [...fresh.numbers.keys()].sort();
  const size = old.chunks.length + fresh.chunks.length;
  const chunks = new Uint32Array(size);
  const counts = new Uint8Array(size);
  const words: string[] = [];
  const offsets: number[] = [0];
  let at = 0;
  const [oldWords, oldCount] = [old.words, old.words.length];
  for (let i = 0, j = 0; i < oldCount || j < freshWords.length;) {
    const left = oldWords[i];
    const right = freshWords[j];
    const word = right === undefined || (left !== undefined && left <= right) ? left! : right;
    if (left === word) {
      for (let p = old.offsets[i]!; p < old.offsets[i + 1]!; p++) {
        const to = remap[old.chunks[p]!]!;
        if (to < 0) continue;
        chunks[at] = to;
        counts[at++] = old.counts[p]!;
      }
      i += 1;
    }
    if (right === word) {
      const number = fresh.numbers.get(word)!;
      for (let p = fresh.offsets[number]!; p < fresh.offsets[number + 1]!; p++) {
        chunks[at] = fresh.chunks[p]!;
        counts[at++] = fresh.counts[p]!;
      }
      j += 1;
    }
    if (at === offsets.at(-1)) continue; // All its chunks were dropped.
    words.push(word);
    offsets.push(at);
  }
  return { words, offsets: Uint32Array.from(offsets), chunks: chunks.slice(0, at), counts: counts.slice(0, at) };
}

/** Postings of the added chunks: words numbered by first appearance, and those of word w from `offsets[w]` on. */
function freshPostings(base: number, added: Next["added"]) {
  const numbers = new Map<string, number>();
  const size = added.reduce((sum, { chunk }) => sum + chunk.words.length, 0);
  const wordOf = new Uint32Array(size);
  let at = 0;
  for (const { chunk } of added) {
    for (const word of chunk.words) {
      let number = numbers.get(word);
      if (number === undefined) numbers.set(word, (number = numbers.size));
      wordOf[at++] = number;
    }
  }
  const offsets = new Uint32Array(numbers.size + 1);
  for (const number of wordOf) offsets[number + 1]! += 1;
  for (let number = 0; number < numbers.size; number++) offsets[number + 1]! += offsets[number]!;
  const next = offsets.slice();
  const chunks = new Uint32Array(size);
  const counts = new Uint8Array(size);
  at = 0;
  for (let i = 0; i < added.length; i++) {
    for (const count of added[i]!.chunk.counts) {
      const place = next[wordOf[at++]!]!++;
      chunks[place] = base + i;
      counts[place] = count;
    }
  }
  return { numbers, offsets, chunks, counts };
}

function nextVectors(
  old: State,
  meta: IndexMeta,
  kept: readonly number[],
  added: Next["added"],
  hashes: readonly string[],
): State["vectors"] {
  const vectors: Partial<Record<Tier, VectorTable>> = {};
  for (const tier of TIERS) {
    const model = meta.models[tier];
    if (model === undefined) continue;
    const before = old.meta.models[tier]?.hash === model.hash ? old.vectors[tier] : undefined;
    const table = new VectorTable(model.dim, kept.length + added.length);
    if (before !== undefined) kept.forEach((id, i) => table.copy(i, before, id));
    const rowOf = before === undefined ? undefined : lazily(() => new Map(old.hashes.map((hash, id) => [hash, id])));
    added.forEach(({ chunk }, i) => {
      const vector = chunk.vectors[tier];
      const row = kept.length + i;
      if (vector !== undefined) table.set(row, vector);
      else {
        const source = rowOf?.().get(hashes[row]!);
        if (source !== undefined && before!.has(source)) table.copy(row, before!, source);
      }
    });
    vectors[tier] = table;
  }
  return vectors;
}

function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** A state with other vectors. */
export function withVectors(old: State, meta: IndexMeta, tier: Tier, table: VectorTable): State {
  return { ...old, meta, generation: old.generation + 1, vectors: { ...old.vectors, [tier]: table } };
}

interface Info {
  readonly generation: number;
  readonly meta: IndexMeta;
  readonly chunks: number;
}

/** A state as named byte ranges. */
export function packState(state: State): { info: Info; sections: Sections } {
  const lines = (texts: readonly string[]): Uint8Array => Buffer.from(texts.join("\n"));
  const sections: Record<string, Uint8Array> = {
    files: Buffer.from(JSON.stringify(state.files)),
    fileOf: bytesOf(state.fileOf),
    startLine: bytesOf(state.startLine),
    endLine: bytesOf(state.endLine),
    kind: state.kind,
    length: bytesOf(state.length),
    names: lines(state.names),
    scopes: lines(state.scopes),
    hashes: lines(state.hashes),
    words: lines(state.words),
    offsets: bytesOf(state.offsets),
    chunks: bytesOf(state.chunks),
    counts: state.counts,
  };
  for (const tier of TIERS) {
    const table = state.vectors[tier];
    if (table === undefined) continue;
    sections[`codes-${tier}`] = bytesOf(table.codes);
    sections[`scales-${tier}`] = bytesOf(table.scales);
  }
  return { info: { generation: state.generation, meta: state.meta, chunks: state.fileOf.length }, sections };
}

/** The inverse of {@link packState}. */
export function unpackState(info: unknown, sections: Sections): State {
  const { generation, meta, chunks: size } = info as Info;
  const lines = (name: string, count: number): string[] =>
    count === 0 ? [] : Buffer.from(sections[name]!).toString("utf8").split("\n");
  const numbers = (name: string): Uint32Array => view(Uint32Array, sections[name]!, 4);
  const vectors: Partial<Record<Tier, VectorTable>> = {};
  for (const tier of TIERS) {
    const model = meta.models[tier];
    if (model === undefined || sections[`codes-${tier}`] === undefined) continue;
    const table = new VectorTable(model.dim, size);
    table.codes.set(view(Int8Array, sections[`codes-${tier}`]!, 1));
    table.scales.set(view(Float32Array, sections[`scales-${tier}`]!, 4));
    vectors[tier] = table;
  }
  const offsets = numbers("offsets");
  return {
    generation,
    meta,
    files: JSON.parse(Buffer.from(sections["files"]!).toString("utf8")) as FileEntry[],
    fileOf: numbers("fileOf"),
    startLine: numbers("startLine"),
    endLine: numbers("endLine"),
    kind: sections["kind"]!,
    length: numbers("length"),
    names: lines("names", size),
    scopes: lines("scopes", size),
    hashes: lines("hashes", size),
    words: lines("words", offsets.length - 1),
    offsets,
    chunks: numbers("chunks"),
    counts: sections["counts"]!,
    vectors,
  };
}
