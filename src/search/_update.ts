import { join } from "node:path";
import { ProgressMeter, type ProgressListener } from "../base/index.js";
import type { Embedder } from "../encoder/index.js";
import { fileTypeOf, type UserGrammars } from "./chunks/grammars.js";
import { isStaticFolder } from "./_models.js";
import { breaths } from "./_prepare.js";
import { Preparer, threadsFor } from "./_preparer.js";
import { readText, type ReadFile } from "./_read-text.js";
import { listFiles, type FoundFile } from "./_walk.js";
import type { FileChange, FileRecord, IndexMeta, Store } from "./store/store.js";
import type { WordScanner } from "./text/words.js";

/**
 * Where the time of an update went, in milliseconds. What several threads do (`parse`, `words`, `embed`) is summed over them,
 * so that the sum of all may be above {@link UpdateReport.milliseconds}, which is what passed on the clock.
 */
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
  /** On the clock. */
  readonly milliseconds: number;
  /** That worked on the files, the calling one among them. */
  readonly threads: number;
  readonly times: UpdateTimes;
}

export interface UpdateOptions {
  readonly root: string;
  readonly store: Store;
  readonly meta: IndexMeta;
  readonly scanner: WordScanner;
  /** The static tier's encoder; without it chunks get no vectors. */
  readonly encoder: (() => Promise<Embedder>) | undefined;
  /** The folder and hash of that encoder, where other threads can open it; "" where it was given by a program. */
  readonly model: { readonly folder: string; readonly hash: string } | undefined;
  /** Threads; by default as many as the work pays for and the machine has. */
  readonly threads?: number | undefined;
  /** The other threads' module; another one in tests of threads that die. */
  readonly worker?: URL | undefined;
  readonly maxBytes: number;
  readonly grammars: UserGrammars;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** File times closer to now than this may hide a later change. */
const RACY_MS = 2000;

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
  const report = { read: 0, changed: 0, returned: 0, newChunks: 0 };
  const breathe = breaths(signal);
  const threads = await threadsOf(options, suspects);
  const preparer = new Preparer({ ...options, threads, between: breathe });
  try {
    preparer.use(options.encoder === undefined || suspects.length === 0 ? undefined : await options.encoder());
    for (const [done, suspect] of suspects.entries()) {
      await breathe();
      const type = fileTypeOf(suspect.path, options.grammars);
      const read = await timed("read", () => readText(join(root, suspect.path), options.maxBytes));
      report.read += 1;
      const file = recordOf(suspect, read, type.language);
      if ("skipped" in read) put.push({ file, chunks: [] });
      else if (await store.holds(file.path, file.hash)) {
        if (before.get(file.path)?.hash !== file.hash) report.returned += 1;
        put.push({ file, chunks: "known" });
      } else {
        report.changed += 1;
        const place = put.push({ file, chunks: [] }) - 1; // Threads answer in any order.
        await preparer.add({ path: file.path, text: read.text, type }, (chunks) => {
          report.newChunks += chunks.length;
          put[place] = { file, chunks };
        });
      }
      meter.update(done + 1, `${report.newChunks} chunks`);
    }
    await preparer.end();
  } finally {
    await preparer.close();
  }
  Object.assign(times, preparer.times);
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
    threads,
    times,
  };
}

/** One where the encoder cannot be opened by other threads. */
async function threadsOf(options: UpdateOptions, suspects: readonly FoundFile[]): Promise<number> {
  const { encoder, model, maxBytes, grammars } = options;
  const isParsed = ({ path, size }: FoundFile): boolean =>
    size <= maxBytes && fileTypeOf(path, grammars).grammar !== undefined;
  const bytes = suspects.reduce((sum, file) => sum + (isParsed(file) ? file.size : 0), 0);
  const threads = options.threads ?? threadsFor(bytes);
  if (threads === 1 || encoder === undefined) return threads;
  return model !== undefined && model.folder !== "" && (await isStaticFolder(model.folder)) ? threads : 1;
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
