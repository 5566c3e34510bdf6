import type { Language } from "../../base/index.js";
import type { SourceConfig } from "./schema.js";

/** One file of a source, or (CodeSearchNet) one function that is already cut out. */
export interface SourceItem {
  readonly kind: "file" | "function";
  /** Where it comes from: `npm:three`, `debian:dpdk`, `git:owner/name`, `directory:NAME`. The unit of a split by source. */
  readonly origin: string;
  /** Exact version or commit; empty if there is none. */
  readonly version: string;
  /** Inside the source, with forward slashes; a nested archive's name is a folder in it. */
  readonly path: string;
  /** SPDX expression of this file; `NOASSERTION` if unknown. */
  readonly licence: string;
  /** As the source tells it (The Stack, CodeSearchNet); undefined: by file name. */
  readonly lang: Language | undefined;
  /** The content as it is: whether it is UTF-8 has not been looked at. */
  readonly bytes: Uint8Array;
  /** Of kind `function`. */
  readonly docstring?: string;
  /** Of kind `function`. */
  readonly name?: string;
}

/** Why something of a source was passed over. `unavailable`: the whole source (path is empty). */
export const SKIP_REASONS = [
  "unavailable",
  "unreadable",
  "missing",
  "too-large",
  "licence",
  "path-escape",
  "broken-archive",
  "archive-bomb",
  "archive-depth",
  "unknown-compression",
  "columns",
  "broken-record",
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/** A file (or a whole archive or source, then `path` names it or is empty) that was passed over. */
export interface SourceSkip {
  readonly kind: "skipped";
  readonly origin: string;
  readonly path: string;
  readonly reason: SkipReason;
  readonly detail?: string;
}

export type SourceEvent = { readonly kind: "item"; readonly item: SourceItem } | SourceSkip;

export interface ReadSourceOptions {
  /** Whether a file is wanted, by its path in the source. Called once a file; others are not read. */
  accept(path: string): boolean;
  /**
   * Whether a folder is wanted; its path ends in `/`. Only folders of `directory` sources are asked about, so that large
   * ones need not be walked. Default: all.
   */
  enter?(folder: string): boolean;
  /** Larger files are passed over unread, as `too-large`. Default 10 MB. */
  readonly maxFileBytes?: number;
  readonly signal?: AbortSignal;
}

/** Somewhere that source code comes from. Reading it never throws for what is wrong with the data: that is an event. */
export interface Source {
  readonly origin: string;
  readonly version: string;
  /** Hexadecimal hash that changes with the content and with the config that chooses from it. */
  readonly fingerprint: string;
  /** The config calls it required: a build that skips some of it as {@link isFailure} says exits with a failure. */
  readonly required: boolean;
  /** What the manifest should say, e.g. `wanted 1.2.3, took 1.2.4, the newest in ^1.2.3`. */
  readonly note?: string;
  /** The entry of the config that it was opened from. */
  readonly config: SourceConfig;
  /** Everything accepted, in an order that depends on the content only, a file at a time. */
  items(options: ReadSourceOptions): AsyncIterable<SourceEvent>;
}

/** Whether an event means that the source could not be read as it should be, rather than that a file was not wanted. */
export function isFailure(event: SourceEvent): boolean {
  return event.kind === "skipped" && event.reason !== "licence" && event.reason !== "too-large";
}
