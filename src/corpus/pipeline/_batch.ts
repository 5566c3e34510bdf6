import type { Language } from "../../base/index.js";
import type { SourceItem } from "../sources/types.js";
import type { CorpusDocument, CorpusPair, DroppedSample, SkippedFile } from "../types.js";
import type { Hash64 } from "./_hash.js";
import type { Signature } from "./_minhash.js";

/** A run of consecutive items of one source, and what the source said while it gave them. */
export interface Batch {
  /** Place of the source in the config, and of the batch in the source. */
  readonly source: number;
  readonly number: number;
  readonly items: readonly SourceItem[];
  /** Paths refused by their names, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** What the source passed over. */
  readonly skipped: readonly SkippedFile[];
  /** Of those, how many mean that the source is not whole. */
  readonly failures: number;
}

/** What an examined batch decides by: hashes, signature and place, for a pair or a document. */
export interface RecordIndex {
  readonly exact: Hash64;
  readonly rank: Hash64;
  /** Of the normalised summary; zeros for a document. */
  readonly summary: Hash64;
  readonly lang: Language;
  /** Of origin and path, for splits by file: an unsigned 32-bit number. */
  readonly draw: number;
  /** Index into the part's origins. */
  readonly origin: number;
  /** Of a pair: index of its document in the part, -1 if that was left out. */
  readonly document: number;
  readonly signature: Signature | undefined;
}

/** Records as they are written in the end, but for their split. */
export type PairRecord = Omit<CorpusPair, "split">;
export type DocumentRecord = Omit<CorpusDocument, "split">;

/** Counts of one language in one part. */
export interface PartLanguage {
  files: number;
  characters: number;
  functions: number;
  withDocstring: number;
  withSummary: number;
  bodyIsReturn: number;
  dropped: Record<string, number>;
}

/** What the excluded sets removed: `[functions, pairs, documents]` by index of the set. */
export type ExclusionHits = Record<number, [functions: number, pairs: number, documents: number]>;

/** Everything that a batch became. */
export interface Examined {
  readonly source: number;
  readonly number: number;
  readonly items: number;
  readonly bytes: number;
  readonly languages: Partial<Record<Language, PartLanguage>>;
  readonly skippedFiles: Record<string, number>;
  readonly skipped: SkippedFile[];
  readonly failures: number;
  readonly excluded: ExclusionHits;
  readonly origins: string[];
  readonly pairs: { readonly index: RecordIndex; readonly record: PairRecord }[];
  readonly documents: { readonly index: RecordIndex; readonly record: DocumentRecord }[];
  readonly samples: RankedSample[];
}

/** A sample of what a rule dropped; of many the ones with the smallest ranks are kept. */
export interface RankedSample {
  /** Undefined: of a file. */
  readonly lang: Language | undefined;
  readonly reason: string;
  readonly rank: number;
  readonly sample: DroppedSample;
}
