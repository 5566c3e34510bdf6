import { createHash } from "node:crypto";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { ProgressMeter, type ProgressListener } from "../base/index.js";
import type { Embedder } from "../encoder/index.js";
import { chunkText } from "./chunks/chunk-file.js";
import { fileTypeOf, type UserGrammars } from "./chunks/grammars.js";
import type { Chunk } from "./chunks/types.js";
import { readText, type ReadFile } from "./_read-text.js";
import { listFiles, type FoundFile } from "./_walk.js";
import type { FileChange, FileRecord, IndexMeta, NewChunk, Store } from "./store/store.js";
import type { WordScanner } from "./text/words.js";

/** Where the time of an update went, in milliseconds. */
export interface UpdateTimes {
  /** Listing the folder and looking at sizes and times. */
  readonly list: number;
  readonly read: number;
  /** Parsing, and cutting by the tree. */
  readonly parse: number;
  readonly words: number;
  readonly embed: number;
  /** Postings, and writing the index. */
  readonly store: number;
}

/** What an update found and did. */
export interface UpdateReport {
  /** Files that are there now. */
  readonly files: number;
  /** Their content was read. */
  readonly read: number;
  /** They were cut and embedded anew. */
  readonly changed: number;
  /** They came back as they had been before, so that nothing was computed. */
  readonly returned: number;
  readonly removed: number;
  readonly newChunks: number;
  readonly milliseconds: number;
  readonly times: UpdateTimes;
}

export interface UpdateOptions {
  readonly root: string;
  readonly store: Store;
  readonly meta: IndexMeta;
  readonly scanner: WordScanner;
  /** The static tier's encoder; without it chunks get no vectors. */
  readonly encoder: (() => Promise<Embedder>) | undefined;
  readonly maxBytes: number;
  readonly grammars: UserGrammars;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** File times closer to now than this may hide a later change. */
const RACY_MS = 2000;
const EMBED_BATCH = 512;

/**
 * Brings an index up to date with its folder. A file whose size and time are as recorded is not read; one whose content
 * is as recorded is not cut; one that was there before, and is kept, comes back as it was. Must run exclusively.
 */
export async function update(options: UpdateOptions): Promise<UpdateReport> {
  const { root, store, meta, signal } = options;
  const started = performance.now();
  const times = { list: 0, read: 0, parse: 0, words: 0, embed: 0, store: 0 };
  const timed = async <T>(name: keyof UpdateTimes, work: () => T | Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await work();
    times[name] += performance.now() - start;
    return result;
  };
  const before = await store.files();
  const found = await timed("list", () => listFiles(root, signal));
  const there = new Set(found.map(({ path }) => path));
  const remove = [...before.keys()].filter((path) => !there.has(path));
  const suspects = found.filter((file) => !asRecorded(file, before.get(file.path)));
  const meter = new ProgressMeter("index", "files", suspects.length, options.onProgress);
  const put: FileChange[] = [];
  const waiting: { chunk: { vectors: { static?: Float32Array } }; text: string }[] = [];
  const encoder = options.encoder === undefined || suspects.length === 0 ? undefined : await options.encoder();
  const embed = async (): Promise<void> => {
    if (encoder === undefined) return;
    const vectors = await encoder.embedAll(
      waiting.map(({ text }) => text),
      signal === undefined ? {} : { signal },
    );
    waiting.forEach(({ chunk }, i) => {
      chunk.vectors.static = vectors.subarray(i * encoder.dim, (i + 1) * encoder.dim);
    });
    waiting.length = 0;
  };
  const report = { read: 0, changed: 0, returned: 0, newChunks: 0 };
  let breath = performance.now();
  for (const [done, suspect] of suspects.entries()) {
    signal?.throwIfAborted();
    if (performance.now() - breath > 30) {
      await setImmediate(); // Ctrl-C, progress, and queries on the old generation.
      breath = performance.now();
    }
    const type = fileTypeOf(suspect.path, options.grammars);
    const read = await timed("read", () => readText(join(root, suspect.path), options.maxBytes));
    report.read += 1;
    const file = recordOf(suspect, read, type.language);
    if ("skipped" in read) put.push({ file, chunks: [] });
    else if (await store.holds(file.path, file.hash)) {
      if (before.get(file.path)?.hash !== file.hash) report.returned += 1;
      put.push({ file, chunks: "known" });
    } else {
      const cut = await timed("parse", () => chunkText(read.text, type));
      const chunks = await timed("words", () => cut.map((chunk) => prepared(file.path, chunk, options.scanner)));
      report.changed += 1;
      report.newChunks += chunks.length;
      put.push({ file, chunks: chunks.map(({ chunk }) => chunk) });
      if (encoder !== undefined) waiting.push(...chunks);
      if (waiting.length >= EMBED_BATCH) await timed("embed", embed);
    }
    meter.update(done + 1, `${report.newChunks} chunks`);
  }
  if (waiting.length > 0) await timed("embed", embed);
  signal?.throwIfAborted();
  const known = await store.meta();
  if (put.length > 0 || remove.length > 0 || known === undefined || JSON.stringify(known) !== JSON.stringify(meta)) {
    await timed("store", () => store.apply({ meta, put, remove }));
  }
  return {
    files: found.length,
    ...report,
    removed: remove.length,
    milliseconds: performance.now() - started,
    times,
  };
}

function asRecorded(found: FoundFile, record: FileRecord | undefined): boolean {
  return record !== undefined && !record.racy && record.size === found.size && record.mtimeMs === found.mtimeMs;
}

function recordOf(found: FoundFile, read: ReadFile | { skipped: FileRecord["skipped"] }, language: string): FileRecord {
  const racy = Date.now() - found.mtimeMs < RACY_MS;
  if ("text" in read) {
    const { hash, size, mtimeMs, generated } = read;
    return { path: found.path, size, mtimeMs, hash, racy, language, generated };
  }
  const { skipped } = read;
  return { ...found, hash: "", racy, language, generated: false, ...(skipped === undefined ? {} : { skipped }) };
}

/** What a chunk's vector is made from: where it is, what it is called, and its text. */
export function embeddedText(path: string, { scope, name, text }: Pick<Chunk, "scope" | "name" | "text">): string {
  const file = path.slice(path.lastIndexOf("/") + 1).replace(/\.[^.]+$/, "");
  return `${file} ${scope.join(" ")} ${text.includes(name) ? "" : name}\n${text}`;
}

/** Names a chunk by what is embedded. */
export function hashOf(text: string): string {
  return createHash("sha1").update(text).digest("base64url").slice(0, 16);
}

function prepared(
  path: string,
  { kind, startLine, endLine, name, scope, text }: Chunk,
  scanner: WordScanner,
): { chunk: NewChunk & { vectors: { static?: Float32Array } }; text: string } {
  const embedded = embeddedText(path, { scope, name, text });
  const slash = path.lastIndexOf("/");
  const { words, counts, length } = scanner.count([
    [text, 1],
    [name, 3],
    [scope.join(" "), 1],
    [path.slice(slash + 1), 2],
    [path.slice(0, Math.max(0, slash)), 1],
  ]);
  const chunk = { kind, startLine, endLine, name, scope, hash: hashOf(embedded), words, counts, length, vectors: {} };
  return { chunk, text: embedded };
}
