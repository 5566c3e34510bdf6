import type { Language, ProgressEvent } from "../base/index.js";
import type { CorpusConfig } from "./config.js";

export const SPLITS = ["train", "validation", "test"] as const;
/** `train` is learnt from, `validation` watched during training, `test` looked at once. */
export type Split = (typeof SPLITS)[number];

/** A whole source file, as stage 1 reads it: comments included, licence header cut. */
export interface CorpusDocument {
  readonly id: string;
  readonly lang: Language;
  /** Inside its source, with forward slashes. */
  readonly path: string;
  /** The source's name: a package, a repository. */
  readonly origin: string;
  readonly split: Split;
  readonly text: string;
}

/** A documented function, as stage 2 reads it. */
export interface CorpusPair {
  readonly id: string;
  readonly lang: Language;
  /** First sentence of the documentation, by `summarise` of the languages room. */
  readonly summary: string;
  /** The whole function without that documentation. */
  readonly code: string;
  /** Without signature and return statements, the hard positive of stage 2; never empty. */
  readonly body: string;
  readonly name: string;
  readonly path: string;
  readonly origin: string;
  /** 1-based, in the file as it is on disk. */
  readonly startLine: number;
  readonly endLine: number;
  readonly split: Split;
}

/** What became of one language's files. From `files` to `withSummary` each is a part of the one before. */
export interface LanguageCounts {
  files: number;
  functions: number;
  withDocstring: number;
  /** With a summary that passes the rules, before deduplication. */
  withSummary: number;
  documents: number;
  pairs: number;
  /** UTF-16 code units of the files parsed. */
  characters: number;
  pairsBySplit: Record<Split, number>;
  /** Functions that gave no pair, by reason. */
  dropped: Record<string, number>;
}

/** A file that was passed over, and why. */
export interface SkippedFile {
  readonly origin: string;
  readonly path: string;
  readonly reason: string;
}

/** One file of the corpus folder. */
export interface Shard {
  readonly file: string;
  readonly records: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** `manifest.json`: written last, so that a folder with one is complete. Holds nothing that changes between runs. */
export interface CorpusManifest {
  readonly format: "lodestone-corpus";
  readonly version: number;
  readonly config: CorpusConfig;
  /** Hash of every input's origin, path and size. */
  readonly inputs: string;
  readonly documents: number;
  readonly pairs: number;
  readonly functions: number;
  readonly splits: Readonly<Record<Split, { readonly documents: number; readonly pairs: number }>>;
  readonly languages: Readonly<Partial<Record<Language, LanguageCounts>>>;
  /** Files passed over, by reason. */
  readonly skippedFiles: Readonly<Record<string, number>>;
  /** The first of those that could not be read as text or were too large, with their paths. */
  readonly skipped: readonly SkippedFile[];
  readonly shards: { readonly documents: readonly Shard[]; readonly pairs: readonly Shard[] };
}

export type CorpusEvent =
  | ProgressEvent
  | ({ readonly kind: "skipped" } & SkippedFile)
  /** `reused`: a complete corpus of the same config and inputs was there already. */
  | { readonly kind: "done"; readonly manifest: CorpusManifest; readonly reused: boolean };
