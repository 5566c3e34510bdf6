import { existsSync } from "node:fs";
import { open, readFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { parquetMetadataAsync, parquetReadObjects, type AsyncBuffer, type FileMetaData } from "hyparquet";
import { errnoOf, messageOf, UserError } from "../base/index.js";
import type { CorpusDocument, CorpusManifest, CorpusPair, DroppedSamples, Shard, Split } from "./types.js";

export const MANIFEST = "manifest.json";
export const CORPUS_VERSION = 2;

/**
 * The manifest of a complete corpus.
 *
 * @throws UserError `corpus.missing`, `corpus.manifest`
 */
export async function readManifest(folder: string): Promise<CorpusManifest> {
  const path = join(folder, MANIFEST);
  if (!existsSync(path)) {
    throw new UserError("corpus.missing", `${folder}: expected a complete corpus with ${MANIFEST}, got none`, {
      fix: "Build it first: lodestone corpus build",
    });
  }
  try {
    const manifest = JSON.parse(await readFile(path, "utf8")) as CorpusManifest;
    if (manifest.format === "lodestone-corpus" && manifest.version === CORPUS_VERSION) return manifest;
  } catch (error) {
    throw manifestError(path, error);
  }
  throw manifestError(path);
}

function manifestError(path: string, cause?: unknown): UserError {
  return new UserError("corpus.manifest", `${path}: expected a corpus manifest of version ${CORPUS_VERSION}`, {
    fix: "Remove the folder and build the corpus again",
    cause,
  });
}

/** What the rules dropped, ten samples for each. @throws UserError `corpus.missing`, `corpus.manifest` */
export async function readDropped(folder: string): Promise<DroppedSamples> {
  await readManifest(folder);
  const path = join(folder, "dropped.json");
  try {
    return JSON.parse(await readFile(path, "utf8")) as DroppedSamples;
  } catch (error) {
    throw manifestError(path, error);
  }
}

export interface ReadOptions {
  /** Default `train`: held-out records must be asked for. */
  readonly split?: Split | "all";
}

/** The documents of a corpus in their stored order. @throws as {@link openCorpus} and {@link Table.readGroup} */
export async function* readDocuments(folder: string, options: ReadOptions = {}): AsyncGenerator<CorpusDocument> {
  const corpus = await openCorpus(folder);
  try {
    yield* corpus.documents.records(options);
  } finally {
    await corpus.close();
  }
}

/** The pairs of a corpus in their stored order. @throws as {@link openCorpus} and {@link Table.readGroup} */
export async function* readPairs(folder: string, options: ReadOptions = {}): AsyncGenerator<CorpusPair> {
  const corpus = await openCorpus(folder);
  try {
    yield* corpus.pairs.records(options);
  } finally {
    await corpus.close();
  }
}

/** A corpus whose records can be read by their place: for shuffled streams that hold a few row groups at a time. */
export interface OpenCorpus {
  readonly manifest: CorpusManifest;
  readonly pairs: Table<CorpusPair>;
  readonly documents: Table<CorpusDocument>;
  close(): Promise<void>;
}

/** Opens a complete corpus; files are opened when they are first read. @throws UserError `corpus.missing`, `corpus.manifest` */
export async function openCorpus(folder: string): Promise<OpenCorpus> {
  const manifest = await readManifest(folder);
  const pairs = new Table<CorpusPair>(folder, manifest.shards.pairs);
  const documents = new Table<CorpusDocument>(folder, manifest.shards.documents);
  return {
    manifest,
    pairs,
    documents,
    close: async () => {
      await pairs.close();
      await documents.close();
    },
  };
}

/** A row group: the smallest piece that is read at once. */
export interface RowGroup {
  /** Index into {@link Table.shards}. */
  readonly shard: number;
  /** First row in the shard. */
  readonly start: number;
  readonly rows: number;
  readonly split: Split;
}

/** The shards of one kind of record. */
export class Table<T extends { readonly split: Split }> {
  private readonly opened = new Map<number, Promise<OpenShard>>();

  constructor(
    private readonly folder: string,
    readonly shards: readonly Shard[],
  ) {}

  /** Row groups in their stored order. */
  groups(split: Split | "all" = "train"): RowGroup[] {
    return this.shards.flatMap((shard, i) => {
      if (split !== "all" && shard.split !== split) return [];
      let start = 0;
      return shard.rowGroups.map((rows): RowGroup => {
        const group = { shard: i, start, rows, split: shard.split };
        start += rows;
        return group;
      });
    });
  }

  /**
   * The records of a row group.
   *
   * @param columns only these; then the records lack the others
   * @throws UserError `corpus.shard` where the file is missing or broken
   */
  async readGroup(group: RowGroup, columns?: readonly (keyof T & string)[]): Promise<T[]> {
    return this.read(group.shard, group.start, group.start + group.rows, columns);
  }

  /** The records of a split in their stored order, a row group in memory at a time. */
  async *records(options: ReadOptions = {}): AsyncGenerator<T> {
    for (const group of this.groups(options.split)) yield* await this.readGroup(group);
  }

  /** One record by shard and row. Reads its whole row group. @throws UserError `corpus.shard` */
  async row(shard: number, row: number): Promise<T | undefined> {
    return (await this.read(shard, row, row + 1))[0];
  }

  async close(): Promise<void> {
    for (const shard of this.opened.values()) await (await shard.catch(() => undefined))?.handle.close();
    this.opened.clear();
  }

  private async read(shard: number, rowStart: number, rowEnd: number, columns?: readonly string[]): Promise<T[]> {
    const { file, split } = this.shards[shard]!;
    const path = join(this.folder, file);
    let opening = this.opened.get(shard);
    if (opening === undefined) this.opened.set(shard, (opening = openShard(path)));
    try {
      const { buffer, metadata } = await opening;
      const wanted = columns?.filter((column) => column !== "split");
      const rows = await parquetReadObjects({
        file: buffer,
        metadata,
        rowStart,
        rowEnd,
        ...(wanted === undefined ? {} : { columns: wanted }),
      });
      // Our own file, whole by its manifest: its records have the shape that was written.
      for (const row of rows) row["split"] = split;
      return rows as unknown as T[];
    } catch (error) {
      const got = errnoOf(error) ?? messageOf(error);
      throw new UserError("corpus.shard", `${path}: expected a whole shard of the corpus, got ${got}`, {
        fix: "Copy the corpus again, or build it again",
        cause: error,
      });
    }
  }
}

interface OpenShard {
  readonly handle: FileHandle;
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
}

async function openShard(path: string): Promise<OpenShard> {
  const handle = await open(path, "r");
  const { size } = await handle.stat();
  const buffer: AsyncBuffer = {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(Math.max(0, end - start));
      let at = 0;
      while (at < bytes.length) {
        const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
        if (bytesRead === 0) throw new Error("a file that ends too early");
        at += bytesRead;
      }
      return bytes.buffer;
    },
  };
  try {
    return { handle, buffer, metadata: await parquetMetadataAsync(buffer) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
