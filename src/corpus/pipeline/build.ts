import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { lockFolder, parseConfig, sha256, UserError, writeError, writeFileAtomic } from "../../base/index.js";
import { corpusSchema, type CorpusConfig, type CorpusInput } from "../config.js";
import { MANIFEST, readManifest } from "../read.js";
import { openSources } from "../sources/index.js";
import type { Source } from "../sources/types.js";
import type { CorpusEvent, CorpusManifest } from "../types.js";
import type { ExamineOptions } from "./_examine.js";
import { readExclusion, type ExclusionData } from "./_exclusion.js";
import { isOwn, mapSources, originMatcher, partNames, readMark, type ShardOf } from "./_map.js";
import { PartSet, type PlannedSource } from "./_part-set.js";
import { Pool } from "./_pool.js";
import { CARD, DROPPED, inputsHash, PARENT, reduceParts } from "./_reduce.js";

/** Changes when the same input gives other records, so that parts of an older version are not gone on from. */
const PIPELINE_VERSION = 2;
const PARTS = ".parts";
const SCRATCH = ".scratch";
export const SHARD = "shard.json";

export interface BuildOptions {
  /** Replace a complete corpus of other config or inputs. Default: refuse. */
  readonly overwrite?: boolean;
  /** Worker threads that parse; 0: none, all in this thread. Default: the processors. The result does not depend on it. */
  readonly workers?: number;
  /** Make only this share of the work, for `mergeCorpora` to put together. */
  readonly shard?: ShardOf;
  /** What `corpus fetch` downloaded. */
  readonly cache?: string;
  /** Folder of bare git repositories. */
  readonly mirrors?: string;
  /** Sources that are open already, in place of those of the config (which still names them). */
  readonly sources?: readonly Source[];
  /** Seconds that a file may take to parse. Default 60. */
  readonly itemSeconds?: number;
  /** Bytes of source code in a part. Default 4 MB. */
  readonly batchBytes?: number;
  /** Keep the parts of a complete corpus, for instance to build it again with other thresholds. */
  readonly keepParts?: boolean;
  readonly signal?: AbortSignal;
}

/** What a shard of a build leaves beside its parts, for the merge. */
export interface ShardRecord {
  readonly format: "lodestone-corpus-shard";
  readonly key: string;
  readonly shard: number;
  readonly of: number;
  readonly inputs: string;
  readonly config: CorpusConfig;
  readonly sources: readonly (PlannedSource & { readonly batches: number })[];
  readonly sets: ExclusionData["sets"];
}

/**
 * Builds a corpus folder: sources -> files -> functions -> pairs -> deduplicated -> split -> shards, and a manifest last.
 *
 * Parts of the work are files of their own (`.parts`), renamed when they are whole: a run that was killed goes on from
 * them. The same config and inputs give the same bytes, with any number of workers and shards. A folder that is complete
 * and up to date is left as it is.
 *
 * @throws UserError `config.*`, `recipe.*`, `corpus.source`, `corpus.exclude`, `corpus.empty`, `corpus.exists`,
 * `output.*`; the signal's reason
 */
export async function* buildCorpus(
  input: CorpusInput,
  out: string,
  options: BuildOptions = {},
): AsyncGenerator<CorpusEvent> {
  const config = parseConfig(corpusSchema, input, "corpus config");
  await mkdir(out, { recursive: true }).catch((error: unknown) => {
    throw writeError(out, error);
  });
  const release = await lockFolder(out);
  try {
    yield* build(config, out, options);
  } finally {
    await release();
  }
}

async function* build(config: CorpusConfig, out: string, options: BuildOptions): AsyncGenerator<CorpusEvent> {
  const { signal, shard = { shard: 1, of: 1 }, batchBytes = 4_000_000 } = options;
  signal?.throwIfAborted();
  const { cache, mirrors } = options;
  const opened = options.sources ?? (await openSources(config.sources, { cache, mirrors, licences: config.licences }));
  const isExcluded = originMatcher(config.excludeOrigins);
  const sources = opened.filter(({ origin }) => !isExcluded(origin));
  const exclusion = await readExclusion(config.exclude, config.dedupe.pairs);
  const inputs = inputsHash([
    String(PIPELINE_VERSION),
    exclusion.hash,
    ...sources.map(({ origin, fingerprint }) => `${origin}\t${fingerprint}`),
  ]);
  const existing = await upToDate(config, inputs, out, options.overwrite ?? false);
  if (existing !== undefined) {
    yield { kind: "done", manifest: existing, reused: true, incomplete: incompleteOf(existing) };
    return;
  }
  const key = partsKey(config, exclusion.hash, batchBytes);
  const folder = join(out, PARTS, key);
  await clear(out, key);

  const events: CorpusEvent[] = [];
  const workers = options.workers ?? availableParallelism();
  const pool = new Pool({
    workers,
    itemSeconds: options.itemSeconds ?? 60,
    recycleBytes: 200_000_000,
    examine: examineOptions(config),
    exclusion,
    onTrouble: (message) => events.push({ kind: "note", message }),
  });
  let incomplete: string[];
  try {
    const inHand = Math.max(1, workers + Math.ceil(workers / 2));
    incomplete = yield* mapSources(sources, { folder, config, shard, pool, inHand, batchBytes, signal, events });
    yield* events.splice(0);
  } finally {
    await pool.close();
  }

  const batches = await Promise.all(
    sources.map(async (source, place) => (await readMark(join(folder, partNames(source, place).mark)))?.batches ?? 0),
  );
  if (shard.of > 1) {
    const record: ShardRecord = {
      format: "lodestone-corpus-shard",
      key,
      ...shard,
      inputs,
      config,
      sources: sources.map((source, place) => ({ ...planned(source), batches: batches[place]! })),
      sets: exclusion.sets,
    };
    await writeFileAtomic(join(out, SHARD), `${JSON.stringify(record, null, 1)}\n`);
    const parts = sources.reduce(
      (sum, source, place) =>
        sum + Array.from({ length: batches[place]! }, (_, i) => isOwn(source, i, shard)).filter(Boolean).length,
      0,
    );
    yield { kind: "shard-done", ...shard, parts, incomplete };
    return;
  }
  const paths = sources.flatMap((source, place) =>
    Array.from({ length: batches[place]! }, (_, i) => join(folder, partNames(source, place).part(i))),
  );
  const { sets } = exclusion;
  const reduction = { config, out, scratch: join(out, SCRATCH), sets, inputs, signal };
  const result = yield* reduceParts(new PartSet(sources.map(planned), paths), reduction);
  if (options.keepParts !== true) await rm(join(out, PARTS), { recursive: true, force: true });
  yield { kind: "done", ...result, reused: false };
}

function planned({ origin, version, fingerprint, note, required, config }: Source): PlannedSource {
  return {
    origin,
    version,
    fingerprint,
    ...(note === undefined ? {} : { note }),
    required,
    ...(config.split === undefined ? {} : { split: config.split }),
    ...(config.maxPairs === undefined ? {} : { maxPairs: config.maxPairs }),
  };
}

function examineOptions({ minTokens, maxTokens, docstring, seed }: CorpusConfig): ExamineOptions {
  return { minTokens, maxTokens, keepDocstring: docstring === "strip" ? 0 : docstring.keep, seed };
}

/** Names the parts that can be used again: what the map stage depends on, but for the sources (named one by one). */
function partsKey(config: CorpusConfig, exclusion: string, batchBytes: number): string {
  const { languages, maxFileBytes, excludeOrigins, dedupe, licences } = config;
  const settings = [examineOptions(config), languages, maxFileBytes, excludeOrigins, licences];
  const near = exclusion === "" ? 0 : dedupe.pairs;
  return sha256(JSON.stringify([PIPELINE_VERSION, settings, exclusion, near, batchBytes])).slice(0, 16);
}

/** Origins that the config requires and that the corpus holds only a part of. */
export function incompleteOf({ sources }: CorpusManifest): string[] {
  return sources.filter(({ required, failures }) => required && failures > 0).map(({ origin }) => origin);
}

/** The manifest in `out` if it belongs to this config and these inputs. @throws UserError `corpus.exists` */
export async function upToDate(
  config: CorpusConfig,
  inputs: string,
  out: string,
  overwrite: boolean,
): Promise<CorpusManifest | undefined> {
  if (!existsSync(join(out, MANIFEST))) return undefined;
  try {
    const manifest = await readManifest(out);
    if (manifest.inputs === inputs && JSON.stringify(manifest.config) === JSON.stringify(config)) return manifest;
  } catch (error) {
    if (!overwrite) throw error;
  }
  if (overwrite) return undefined;
  throw new UserError(
    "corpus.exists",
    `${out}: expected an empty folder, got a corpus of another config or other inputs`,
    { fix: "Choose another output folder, or say that it may be replaced (--overwrite)" },
  );
}

/** Removes our own files only, the manifest first, so that the folder never looks complete; parts of `key` stay. */
export async function clear(out: string, key?: string): Promise<void> {
  for (const name of [MANIFEST, SHARD, DROPPED, CARD, PARENT]) await rm(join(out, name), { force: true });
  await rm(join(out, SCRATCH), { recursive: true, force: true });
  for (const kind of ["pairs", "documents"]) {
    for (const name of await readdir(join(out, kind)).catch(() => [])) {
      if (/^(?:train|validation|test)-\d{5}\.parquet(?:\.\d+\.partial)?$/.test(name)) await rm(join(out, kind, name));
    }
  }
  for (const name of await readdir(join(out, PARTS)).catch(() => [])) {
    if (name !== key) await rm(join(out, PARTS, name), { recursive: true, force: true });
  }
}
