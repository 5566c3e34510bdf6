import type { Language, ProgressEvent } from "../base/index.js";
import type { FunctionKind } from "../languages/index.js";
import type { CorpusConfig } from "./config.js";

export const SPLITS = ["train", "validation", "test"] as const;
/** `train` is learnt from, `validation` watched during training, `test` looked at once. */
export type Split = (typeof SPLITS)[number];

/** A whole source file, as stage 1 reads it: comments included, licence header cut. */
export interface CorpusDocument {
  readonly id: string;
  readonly lang: Language;
  readonly text: string;
  /** Where it comes from: `npm:three`, `git:owner/name`, `directory:NAME`. */
  readonly origin: string;
  /** Exact version or commit of that; empty if there is none. */
  readonly version: string;
  /** Inside its source, with forward slashes. */
  readonly path: string;
  /** SPDX expression; `NOASSERTION` if unknown. */
  readonly licence: string;
  readonly split: Split;
}

/** A documented function, as stage 2 reads it. */
export interface CorpusPair {
  readonly id: string;
  readonly lang: Language;
  /** First sentence of the documentation, by `summarise` of the languages room. */
  readonly summary: string;
  /** The documentation without comment marks; its first 2,000 characters. */
  readonly docstring: string;
  /** The function's head: `code` up to its body. */
  readonly signature: string;
  readonly name: string;
  readonly kind: FunctionKind;
  /** The whole function; without that documentation, unless the config keeps it. */
  readonly code: string;
  /** Without signature and return statements, the hard positive of stage 2; never empty, never with the documentation. */
  readonly body: string;
  readonly origin: string;
  readonly version: string;
  readonly path: string;
  readonly licence: string;
  /** 1-based, in the file as it was found. */
  readonly startLine: number;
  readonly endLine: number;
  readonly split: Split;
}

/** What became of one language's files. From `files` to `withSummary` each is a part of the one before. */
export interface LanguageCounts {
  files: number;
  functions: number;
  withDocstring: number;
  /** With a summary that passes the rules, before contamination and deduplication. */
  withSummary: number;
  /** Of `withSummary`: functions that are nothing but a returned value, so that `body` holds the return statements. */
  bodyIsReturn: number;
  documents: number;
  pairs: number;
  /** UTF-16 code units of the files parsed. */
  characters: number;
  pairsBySplit: Record<Split, number>;
  documentsBySplit: Record<Split, number>;
  /** Functions that gave no pair, by reason. */
  dropped: Record<string, number>;
}

/** A file that was passed over, and why. */
export interface SkippedFile {
  readonly origin: string;
  readonly path: string;
  readonly reason: string;
  readonly detail?: string;
}

/** One file of the corpus folder. */
export interface Shard {
  /** Inside the folder: `pairs/train-00000.parquet`. */
  readonly file: string;
  readonly split: Split;
  readonly records: number;
  /** Records in each row group, for reading a record by its place. */
  readonly rowGroups: readonly number[];
  readonly bytes: number;
  readonly sha256: string;
}

/** What one source of the config gave. */
export interface SourceReport {
  readonly origin: string;
  readonly version: string;
  readonly fingerprint: string;
  readonly note?: string;
  readonly required: boolean;
  /** Files (or ready functions) that it gave, and their bytes. */
  readonly items: number;
  readonly bytes: number;
  /** What could not be read although it should have been: broken archives, missing files. */
  readonly failures: number;
}

/** What an excluded evaluation set removed. */
export interface ExclusionReport {
  readonly set: string;
  /** Texts of the set. */
  readonly texts: number;
  /** Functions of the sources that match one of them, documented or not. */
  readonly functions: number;
  /** Pairs and documents removed. */
  readonly pairs: number;
  readonly documents: number;
}

/** Records that carry a licence. */
export interface LicenceCount {
  documents: number;
  pairs: number;
}

/** `manifest.json`: written last, so that a folder with one is complete. Holds nothing that changes between runs. */
export interface CorpusManifest {
  readonly format: "lodestone-corpus";
  readonly version: number;
  readonly config: CorpusConfig;
  /** Hash of every source's fingerprint, of the excluded sets and of the pipeline's own version. */
  readonly inputs: string;
  readonly documents: number;
  readonly pairs: number;
  readonly functions: number;
  readonly splits: Readonly<Record<Split, { readonly documents: number; readonly pairs: number }>>;
  readonly languages: Readonly<Partial<Record<Language, LanguageCounts>>>;
  readonly licences: Readonly<Record<string, LicenceCount>>;
  readonly sources: readonly SourceReport[];
  readonly excluded: readonly ExclusionReport[];
  /** Languages where no whole origin was small enough to be held out, so that files were drawn instead. */
  readonly splitByFile: Readonly<Record<"validation" | "test", readonly Language[]>>;
  /** Files passed over, by reason. */
  readonly skippedFiles: Readonly<Record<string, number>>;
  /** The first of those that something is wrong with, with their places. */
  readonly skipped: readonly SkippedFile[];
  readonly shards: { readonly documents: readonly Shard[]; readonly pairs: readonly Shard[] };
  /** Of a corpus made from another by `filterCorpus`: the filters, the first one first. */
  readonly filters?: readonly FilterReport[];
}

/** What one consistency filter did. */
export interface FilterReport {
  readonly kind: "consistency";
  /** SHA-256 of the manifest of the corpus that was filtered, which lies beside this one as `parent.json`. */
  readonly parent: string;
  /** Names the encoder's files. */
  readonly model: string;
  /** Pairs that a summary's own code was ranked among, about. */
  readonly pool: number;
  /** Ranks that are kept. */
  readonly top: number;
  readonly seed: number;
  /** Tokens that were read of either side. */
  readonly textLength: number;
  readonly codeLength: number;
  readonly languages: Readonly<Partial<Record<Language, FilterCounts>>>;
}

/** Training pairs of one language at a filter. */
export interface FilterCounts {
  readonly pairs: number;
  readonly kept: number;
  /** Pools, and the pairs of the smallest. */
  readonly pools: number;
  readonly smallestPool: number;
  /** Mean of 1 / rank over all pairs. */
  readonly mrr: number;
}

/** Something that a rule dropped, kept so that people can look at it (`dropped.json`). */
export interface DroppedSample {
  readonly origin: string;
  readonly path: string;
  /** Of a function. */
  readonly startLine?: number;
  readonly name?: string;
  /** Beginnings of what was dropped. */
  readonly docstring?: string;
  readonly text?: string;
}

/** `dropped.json`: by language and reason (functions as `LanguageCounts.dropped`, files as `skippedFiles`). */
export interface DroppedSamples {
  readonly functions: Readonly<Partial<Record<Language, Readonly<Record<string, readonly DroppedSample[]>>>>>;
  readonly files: Readonly<Record<string, readonly DroppedSample[]>>;
}

export type CorpusEvent =
  | ProgressEvent
  | ({ readonly kind: "skipped" } & SkippedFile)
  /** A few words on the state: what an earlier run left, a worker that died. */
  | { readonly kind: "note"; readonly message: string }
  /** `reused`: a complete corpus of the same config and inputs was there already. */
  | {
      readonly kind: "done";
      readonly manifest: CorpusManifest;
      readonly reused: boolean;
      /** Origins that the config requires and that could not be read whole. */
      readonly incomplete: readonly string[];
    }
  /** One shard of a build is complete; `parts` of all are its own. */
  | {
      readonly kind: "shard-done";
      readonly shard: number;
      readonly of: number;
      readonly parts: number;
      readonly incomplete: readonly string[];
    };
