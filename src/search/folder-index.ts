import { join } from "node:path";
import { ProgressMeter, type ProgressListener } from "../base/index.js";
import type { Encoder } from "../encoder/index.js";
import { readText, type SkipReason } from "./_read-text.js";
import { listFiles } from "./_walk.js";
import { chunkFile } from "./chunk.js";
import { ExactStore, type VectorStore } from "./store.js";

/** Something found: a function, or a window of lines. */
export interface Hit {
  /** The folder as it was given, joined with the file's place in it: it opens from where the search was started. */
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
  readonly name: string;
  /** Cosine similarity to the query, -1 .. 1. */
  readonly score: number;
}

/** What a folder held. */
export interface FolderCounts {
  readonly files: number;
  readonly chunks: number;
  /** Files passed over, by reason. */
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
}

export interface IndexFolderOptions {
  readonly encoder: Encoder;
  /** Files larger than this are passed over. Default 2 MiB. */
  readonly maxBytes?: number;
  /** Tokens of a chunk that are read; the model's own maximum by default. */
  readonly maxLength?: number;
  /** Where vectors go; exact search in memory by default. Must be empty. */
  readonly store?: VectorStore;
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
}

/** A folder's chunks with their vectors, ready for queries. */
export class FolderIndex {
  constructor(
    private readonly encoder: Encoder,
    private readonly store: VectorStore,
    private readonly places: readonly Omit<Hit, "score">[],
    readonly counts: FolderCounts,
  ) {}

  /** The chunks most similar to a query (words or code), best first. */
  async search(query: string, limit = 10): Promise<Hit[]> {
    const vector = await this.encoder.embedAll([query]);
    return this.store.nearest(vector, limit).map(({ row, score }) => ({ ...this.places[row]!, score }));
  }
}

const DEFAULT_MAX_BYTES = 2 ** 21;

/**
 * Cuts every text file of a folder into chunks and embeds them. `.gitignore` files are honoured; files that are binary,
 * huge, minified or not UTF-8 are passed over and counted.
 *
 * @throws UserError `search.folder`; the signal's reason when aborted
 */
export async function indexFolder(folder: string, options: IndexFolderOptions): Promise<FolderIndex> {
  const { encoder, maxBytes = DEFAULT_MAX_BYTES, maxLength, signal } = options;
  const store = options.store ?? new ExactStore(encoder.dim);
  const files = await listFiles(folder, signal);
  const meter = new ProgressMeter("search", "files", files.length, options.onProgress);
  const skipped: Partial<Record<SkipReason, number>> = {};
  const places: Omit<Hit, "score">[] = [];
  const fileOfChunk: number[] = [];
  async function* texts(): AsyncGenerator<string> {
    for (const [index, file] of files.entries()) {
      signal?.throwIfAborted();
      const path = join(folder, file);
      const read = await readText(path, maxBytes);
      if ("skipped" in read) {
        skipped[read.skipped] = (skipped[read.skipped] ?? 0) + 1;
        continue;
      }
      for (const { text, ...place } of await chunkFile(file, read.text)) {
        places.push({ path, ...place });
        fileOfChunk.push(index);
        yield text;
      }
    }
  }
  const limits = { ...(maxLength === undefined ? {} : { maxLength }), ...(signal === undefined ? {} : { signal }) };
  // Vectors come in the order of the texts, so a vector's row is its chunk's place in the list.
  for await (const vector of encoder.embed(texts(), limits)) {
    store.add(vector);
    meter.update(fileOfChunk[store.size - 1]!, `${store.size} chunks`);
  }
  meter.update(files.length, `${store.size} chunks`);
  return new FolderIndex(encoder, store, places, { files: files.length, chunks: places.length, skipped });
}
