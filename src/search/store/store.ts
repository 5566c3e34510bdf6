import type { ChunkKind } from "../chunks/types.js";
import type { SkipReason } from "../_read-text.js";

/** `static`: token vectors, at once. `full`: a Transformer, later and better. */
export const TIERS = ["static", "full"] as const;
export type Tier = (typeof TIERS)[number];

/** An encoder that vectors came from; vectors of another one are never mixed with them. */
export interface ModelInfo {
  /** Changes with any file of the model folder. */
  readonly hash: string;
  /** Numbers in a vector. */
  readonly dim: number;
  /** Where it was; it may be gone. */
  readonly folder: string;
}

/** What makes an index usable for a program and a set of models. */
export interface IndexMeta {
  readonly chunker: number;
  readonly models: Readonly<Partial<Record<Tier, ModelInfo>>>;
}

/** A file as it was when it was read. */
export interface FileRecord {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** SHA-256 of the content, shortened to 32 hexadecimal digits; "" for files that were not read. */
  readonly hash: string;
  /** Written just before it was read: its time may not tell of a later change, so its content is compared next time. */
  readonly racy: boolean;
  readonly language: string;
  /** Says of itself that a program wrote it. */
  readonly generated: boolean;
  /** Why it has no chunks. */
  readonly skipped?: SkipReason;
}

/** A chunk on its way into a store. */
export interface NewChunk {
  readonly kind: ChunkKind;
  readonly startLine: number;
  readonly endLine: number;
  readonly name: string;
  readonly scope: readonly string[];
  /** Of what is embedded: chunks with the same hash have the same vector. */
  readonly hash: string;
  readonly words: readonly string[];
  /** Occurrences of each word, weighted by where it stands, at most 255. */
  readonly counts: Uint8Array;
  /** Sum of the counts. */
  readonly length: number;
  readonly vectors: Readonly<Partial<Record<Tier, Float32Array>>>;
}

/** A file's new state. `known`: the store still holds the chunks of this path with this hash. */
export interface FileChange {
  readonly file: FileRecord;
  readonly chunks: readonly NewChunk[] | "known";
}

/** One step of an index from a consistent state to the next. */
export interface Change {
  readonly meta: IndexMeta;
  readonly put: readonly FileChange[];
  /** Paths that are gone. */
  readonly remove: readonly string[];
}

/** A chunk in a store. */
export interface ChunkRow {
  /** Valid for one generation of the store. */
  readonly id: number;
  readonly path: string;
  readonly language: string;
  readonly generated: boolean;
  readonly kind: ChunkKind;
  readonly startLine: number;
  readonly endLine: number;
  readonly name: string;
  readonly scope: readonly string[];
}

/** Which chunks may answer. Absent: all. */
export interface ChunkFilter {
  readonly languages?: readonly string[];
  readonly kinds?: readonly ChunkKind[];
  /** True for a path that may answer. */
  readonly path?: (path: string) => boolean;
}

/** What is looked for. */
export interface StoreQuery {
  /** Stems with their weights. */
  readonly words: ReadonlyMap<string, number>;
  readonly vectors: Readonly<Partial<Record<Tier, Float32Array>>>;
  /** Lower-case names: chunks of such a name are candidates whatever else they hold. */
  readonly names: readonly string[];
  /** Candidates by each way of looking. */
  readonly limit: number;
  readonly filter?: ChunkFilter;
}

/** A chunk that one of the ways found, with its scores by all of them. */
export interface Candidate {
  readonly row: ChunkRow;
  /** BM25. */
  readonly lexical: number;
  /** Cosine similarity, for the tiers of the query's vectors. */
  readonly cosines: Readonly<Partial<Record<Tier, number>>>;
}

export interface StoreCounts {
  readonly files: number;
  readonly skipped: number;
  readonly chunks: number;
  /** Chunks with a vector, by tier. */
  readonly vectors: Readonly<Record<Tier, number>>;
  /** On disk; undefined where the store does not tell. */
  readonly bytes: number | undefined;
  /** Rises with every change. */
  readonly generation: number;
}

/**
 * Where an index lives. A change is applied as a whole or not at all, also when the process is killed; readers see one
 * generation at a time. Scores do not depend on the order of changes.
 */
export interface Store {
  readonly kind: "embedded" | "memory" | "postgres";
  /** Undefined for an index without anything in it. */
  meta(): Promise<IndexMeta | undefined>;
  counts(): Promise<StoreCounts>;
  /** All files by path, those without chunks too. */
  files(): Promise<ReadonlyMap<string, FileRecord>>;
  /** Whether chunks of that file content are held, so that `chunks: "known"` may be put. */
  holds(path: string, hash: string): Promise<boolean>;
  /** Applies a change. Vectors of chunks with a hash that is held already are taken over. @throws UserError `output.*` */
  apply(change: Change): Promise<void>;
  /** The best by each way of looking, together. */
  candidates(query: StoreQuery): Promise<Candidate[]>;
  /** All chunks of a file, by line. */
  chunksOf(path: string): Promise<ChunkRow[]>;
  /** All chunks, with the hash of each, in the order of path and line. */
  chunks(): AsyncIterable<ChunkRow & { readonly hash: string }>;
  /** Chunks without a vector of a tier, at most `limit`, in the order of path and line. */
  missing(tier: Tier, limit: number): Promise<(ChunkRow & { readonly hash: string })[]>;
  /** Stores vectors by chunk hash, for every chunk of that hash. */
  setVectors(tier: Tier, model: ModelInfo, vectors: ReadonlyMap<string, Float32Array>): Promise<void>;
  /** Forgets everything. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** BM25's constants, those of Lucene but for shorter fields. */
export const BM25 = { k1: 1.2, b: 0.6 } as const;

/** Lucene's never negative inverse document frequency. */
export function idf(chunks: number, holding: number): number {
  return Math.log(1 + (chunks - holding + 0.5) / (holding + 0.5));
}
