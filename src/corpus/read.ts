import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readJsonl, UserError } from "../base/index.js";
import type { CorpusDocument, CorpusManifest, CorpusPair, Split } from "./types.js";

export const MANIFEST = "manifest.json";
export const CORPUS_VERSION = 1;

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

export interface ReadOptions {
  /** Default `train`: held-out records must be asked for. */
  readonly split?: Split | "all";
}

/** The documents of a corpus in their stored order. */
export async function* readDocuments(folder: string, options: ReadOptions = {}): AsyncGenerator<CorpusDocument> {
  const { shards } = await readManifest(folder);
  for (const { file } of shards.documents) yield* records<CorpusDocument>(join(folder, file), options);
}

/** The pairs of a corpus in their stored order. */
export async function* readPairs(folder: string, options: ReadOptions = {}): AsyncGenerator<CorpusPair> {
  const { shards } = await readManifest(folder);
  for (const { file } of shards.pairs) yield* records<CorpusPair>(join(folder, file), options);
}

async function* records<T extends { readonly split: Split }>(path: string, options: ReadOptions): AsyncGenerator<T> {
  const split = options.split ?? "train";
  // Our own file, whole by its manifest: its records have the shape that was written.
  for await (const value of readJsonl(path)) {
    const record = value as T;
    if (split === "all" || record.split === split) yield record;
  }
}
