import { CHUNK_KINDS } from "./chunks/types.js";
import type { NewChunk } from "./store/store.js";

/** Chunks on their way between threads: columns that are handed over, instead of many small objects that are copied. */
export interface PackedChunks {
  /** Chunks of each file. */
  readonly perFile: Uint32Array<ArrayBuffer>;
  /** [chunks, 5]: kind, first line, last line, length, different words. */
  readonly numbers: Uint32Array<ArrayBuffer>;
  /** JSON: names, scopes, hashes. */
  readonly strings: string;
  /** The different words of all, one a line; words have no line ends. */
  readonly words: string;
  /** Chunk after chunk, its words' lines in `words`. */
  readonly wordOf: Uint32Array<ArrayBuffer>;
  readonly counts: Uint8Array<ArrayBuffer>;
  /** [chunks, dim]; empty without an encoder. */
  readonly vectors: Float32Array<ArrayBuffer>;
}

const COLUMNS = 5;

export function packChunks(files: readonly (readonly NewChunk[])[]): PackedChunks {
  const all = files.flat();
  const different = new Map<string, number>();
  const numbers = new Uint32Array(COLUMNS * all.length);
  const total = all.reduce((sum, { words }) => sum + words.length, 0);
  const wordOf = new Uint32Array(total);
  const counts = new Uint8Array(total);
  const dim = all[0]?.vectors.static?.length ?? 0;
  const vectors = new Float32Array(dim * all.length);
  let at = 0;
  all.forEach((chunk, i) => {
    const { kind, startLine, endLine, length, words } = chunk;
    numbers.set([CHUNK_KINDS.indexOf(kind), startLine, endLine, length, words.length], COLUMNS * i);
    counts.set(chunk.counts, at);
    for (const word of words) {
      let number = different.get(word);
      if (number === undefined) different.set(word, (number = different.size));
      wordOf[at++] = number;
    }
    if (dim > 0) vectors.set(chunk.vectors.static!, dim * i);
  });
  return {
    perFile: Uint32Array.from(files, ({ length }) => length),
    numbers,
    strings: JSON.stringify([all.map(({ name }) => name), all.map(({ scope }) => scope), all.map(({ hash }) => hash)]),
    words: [...different.keys()].join("\n"),
    wordOf,
    counts,
    vectors,
  };
}

/** The inverse of {@link packChunks}. */
export function unpackChunks(packed: PackedChunks): NewChunk[][] {
  const { perFile, numbers, wordOf, counts, vectors } = packed;
  const [names, scopes, hashes] = JSON.parse(packed.strings) as [string[], string[][], string[]];
  const different = packed.words.split("\n");
  const dim = vectors.length / Math.max(1, names.length);
  let [chunk, word] = [0, 0];
  return Array.from(perFile, (size) =>
    Array.from({ length: size }, () => {
      const i = chunk++;
      const [kind, startLine, endLine, length, count] = numbers.subarray(COLUMNS * i) as unknown as [
        number,
        number,
        number,
        number,
        number,
      ];
      const words = new Array<string>(count);
      for (let w = 0; w < count; w++) words[w] = different[wordOf[word + w]!]!;
      const own = counts.subarray(word, (word += count));
      return {
        kind: CHUNK_KINDS[kind]!,
        startLine,
        endLine,
        name: names[i]!,
        scope: scopes[i]!,
        hash: hashes[i]!,
        words,
        counts: own,
        length,
        vectors: dim === 0 ? {} : { static: vectors.subarray(dim * i, dim * (i + 1)) },
      };
    }),
  );
}
