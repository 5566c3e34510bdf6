/** What a chunk is. `--type` filters by these. */
export const CHUNK_KINDS = ["function", "method", "class", "module", "doc", "config", "text"] as const;
export type ChunkKind = (typeof CHUNK_KINDS)[number];

/** A piece of a file that is found as a whole. */
export interface Chunk {
  readonly kind: ChunkKind;
  /** 1-based, inclusive; the documentation above a definition is part of it. */
  readonly startLine: number;
  readonly endLine: number;
  /** The defined name, a section's title, or the start of the first line. */
  readonly name: string;
  /** Names of what encloses it, outermost first: `["Parser"]` for a method, the titles above for a section. */
  readonly scope: readonly string[];
  /** What is read, embedded and matched. For a class: its header, fields and the first lines of its members. */
  readonly text: string;
}

/** Rises when files would be cut differently, or into other words, so that an index made before is made anew. */
export const CHUNKER_VERSION = 2;
