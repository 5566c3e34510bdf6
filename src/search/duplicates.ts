import type { ProgressListener } from "../base/index.js";
import { ProgressMeter } from "../base/index.js";
import type { ChunkKind } from "./chunks/types.js";
import type { ChunkRow, Store } from "./store/store.js";
import type { WordScanner } from "./text/words.js";

export interface DuplicateOptions {
  /** Share of common words from which on two chunks are copies, 0 .. 1; default 0.8. */
  readonly threshold?: number;
  /** Chunks with fewer different words are passed over; default 12. */
  readonly minWords?: number;
  /** Only chunks of two languages. */
  readonly acrossLanguages?: boolean;
  readonly kinds?: readonly ChunkKind[];
  readonly path?: (path: string) => boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
}

/** Chunks that say the same. */
export interface CloneGroup {
  readonly members: readonly Pick<ChunkRow, "path" | "startLine" | "endLine" | "name" | "kind" | "language">[];
  /** The least share of common words (weighted Jaccard) between the first and any other, 0 .. 1. */
  readonly similarity: number;
  /** The same words in the same order, so that only spaces, punctuation and case may differ. */
  readonly exact: boolean;
}

const HASHES = 64;
const BANDS = 16;

interface Sketch {
  readonly row: ChunkRow;
  readonly words: ReadonlyMap<string, number>;
  readonly order: string;
}

/**
 * Copies in a repository, also between languages: MinHash signatures over the words of each chunk find candidates (16 bands
 * of 4: Broder 1997, Indyk and Motwani 1998), whose words are then compared in full. Groups come largest first.
 */
export async function* findDuplicates(
  store: Store,
  scanner: WordScanner,
  linesOf: (path: string) => readonly string[] | undefined,
  options: DuplicateOptions,
): AsyncGenerator<CloneGroup, void, undefined> {
  const { threshold = 0.8, minWords = 12, signal, kinds = ["function", "method", "class"] } = options;
  const sketches: Sketch[] = [];
  const buckets = new Map<string, number[]>();
  const { chunks: total } = await store.counts();
  const meter = new ProgressMeter("duplicates", "chunks", total, options.onProgress);
  let file: { path: string; lines: readonly string[] | undefined } | undefined;
  let seen = 0;
  for await (const row of store.chunks()) {
    signal?.throwIfAborted();
    meter.update(++seen);
    if (!kinds.includes(row.kind) || options.path?.(row.path) === false) continue;
    if (file?.path !== row.path) file = { path: row.path, lines: linesOf(row.path) };
    const text = file.lines?.slice(row.startLine - 1, row.endLine).join("\n");
    if (text === undefined) continue;
    const { words, counts } = scanner.count([[text, 1]]);
    if (words.length < minWords) continue;
    const index = sketches.length;
    const order = scanner.words(text).join(" ");
    sketches.push({ row, words: new Map(words.map((word, i) => [word, counts[i]!])), order });
    for (const key of bandsOf(words)) {
      const bucket = buckets.get(key);
      if (bucket === undefined) buckets.set(key, [index]);
      else bucket.push(index);
    }
  }
  yield* grouped(sketches, buckets, threshold, options.acrossLanguages === true);
}

function* grouped(
  sketches: readonly Sketch[],
  buckets: ReadonlyMap<string, readonly number[]>,
  threshold: number,
  across: boolean,
): Generator<CloneGroup> {
  const parent = sketches.map((_, i) => i);
  const root = (i: number): number => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]!]!;
    return i;
  };
  for (const bucket of buckets.values()) {
    // Against the first alone where many share a bucket: copies of one are copies of each other.
    for (let b = 1; b < bucket.length; b++) {
      for (let a = 0; a < Math.min(b, 8); a++) {
        const [i, j] = [bucket[a]!, bucket[b]!];
        if (root(i) === root(j)) continue;
        if (overlap(sketches[i]!, sketches[j]!) || jaccard(sketches[i]!, sketches[j]!) < threshold) continue;
        parent[Math.max(root(i), root(j))] = Math.min(root(i), root(j));
      }
    }
  }
  const groups = new Map<number, Sketch[]>();
  sketches.forEach((sketch, i) => groups.set(root(i), [...(groups.get(root(i)) ?? []), sketch]));
  const found: CloneGroup[] = [];
  for (const members of groups.values()) {
    if (members.length < 2) continue;
    if (across && new Set(members.map(({ row }) => row.language)).size < 2) continue;
    const [first, ...others] = members;
    found.push({
      members: members.map(({ row: { path, startLine, endLine, name, kind, language } }) => ({
        path,
        startLine,
        endLine,
        name,
        kind,
        language,
      })),
      similarity: Math.min(...others.map((other) => jaccard(first!, other))),
      exact: others.every((other) => other.order === first!.order),
    });
  }
  const lines = ({ members }: CloneGroup): number =>
    members.slice(1).reduce((sum, { startLine, endLine }) => sum + endLine - startLine + 1, 0);
  yield* found.sort((a, b) => lines(b) - lines(a) || (a.members[0]!.path < b.members[0]!.path ? -1 : 1));
}

/** A class's header and a method in it are no copies of each other. */
function overlap({ row: a }: Sketch, { row: b }: Sketch): boolean {
  return a.path === b.path && a.startLine <= b.endLine && b.startLine <= a.endLine;
}

/** sum of least counts / sum of greatest counts */
function jaccard({ words: a }: Sketch, { words: b }: Sketch): number {
  let [least, greatest] = [0, 0];
  for (const [word, count] of a) {
    const other = b.get(word) ?? 0;
    least += Math.min(count, other);
    greatest += Math.max(count, other);
  }
  for (const [word, count] of b) if (!a.has(word)) greatest += count;
  return greatest === 0 ? 0 : least / greatest;
}

function bandsOf(words: readonly string[]): string[] {
  const least = new Uint32Array(HASHES).fill(0xffffffff);
  for (const word of words) {
    let hash = 0x811c9dc5;
    for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
    for (let h = 0; h < HASHES; h++) {
      let mixed = Math.imul(hash ^ (h * 0x9e3779b1), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
      mixed = (mixed ^ (mixed >>> 16)) >>> 0;
      if (mixed < least[h]!) least[h] = mixed;
    }
  }
  const rows = HASHES / BANDS;
  return Array.from({ length: BANDS }, (_, band) => `${band}:${least.subarray(band * rows, (band + 1) * rows).join()}`);
}
