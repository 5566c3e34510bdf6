import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { LANGUAGES, ProgressMeter, writeFileAtomic, type Language } from "../../base/index.js";
import type { CorpusConfig } from "../config.js";
import { SKIP_REASONS, type Source } from "../sources/types.js";
import type { CorpusEvent } from "../types.js";
import { globsToRegExp } from "../_glob.js";
import type { Batch } from "./_batch.js";
import { hashText } from "./_hash.js";
import { PartFile } from "./_part.js";
import type { Pool } from "./_pool.js";
import { readBatches } from "./_read-batches.js";

/** One of `of` processes that share a build: it examines the batches that are its own. */
export interface ShardOf {
  /** 1-based. */
  readonly shard: number;
  readonly of: number;
}

export interface MapOptions {
  readonly folder: string;
  readonly config: CorpusConfig;
  readonly shard: ShardOf;
  readonly pool: Pool;
  /** Batches in hand at a time. */
  readonly inHand: number;
  readonly batchBytes: number;
  readonly signal: AbortSignal | undefined;
  /** Filled by the pool with what went wrong. */
  readonly events: CorpusEvent[];
}

/** Written when all batches of a source are there. */
export interface SourceMark {
  readonly origin: string;
  readonly batches: number;
  readonly failures: number;
}

/** Reasons worth telling at once: something is wrong with the file, rather than it being no source. */
const TOLD: ReadonlySet<string> = new Set([
  ...["not-utf8", "binary", "parser", "crash", "timeout"],
  ...SKIP_REASONS.filter((reason) => reason !== "licence"),
]);
export const isTold = (reason: string): boolean => TOLD.has(reason);

/** The names of a source's files in the folder of parts. */
export function partNames(source: Source, place: number): { mark: string; part: (batch: number) => string } {
  const stem = `${String(place).padStart(5, "0")}-${source.fingerprint.slice(0, 16)}`;
  return { mark: `${stem}.json`, part: (batch) => `${stem}-${String(batch).padStart(6, "0")}.part` };
}

/** Whether a batch is examined by this shard. Equal for all that build the same sources. */
export function isOwn(source: Source, batch: number, { shard, of }: ShardOf): boolean {
  return of === 1 || hashText(`${source.fingerprint}\n${batch}`).hi % of === shard - 1;
}

/**
 * Map: every batch of every source becomes a part file, renamed when it is whole. Parts that an earlier run left are
 * not made again. An aborted signal stops it behind the batches in hand.
 */
export async function* mapSources(
  sources: readonly Source[],
  options: MapOptions,
): AsyncGenerator<CorpusEvent, string[]> {
  const { folder, shard, pool, signal, events } = options;
  await mkdir(folder, { recursive: true });
  await clearPartials(folder);
  const isExcluded = originMatcher(options.config.excludeOrigins);
  const meter = new ProgressMeter("corpus", "sources", sources.length, (event) => events.push(event));
  const running = new Set<Promise<boolean>>();
  const incomplete: string[] = [];
  let failure: { error: unknown } | undefined;
  let pairs = 0;
  let bytes = 0;
  let done = 0;

  const note = (): string => `${(bytes / 2 ** 20).toFixed(0)} MB, ${pairs} pairs before deduplication`;
  const start = (batch: Batch, path: string): Promise<boolean> => {
    const work: Promise<boolean> = pool
      .run(batch)
      .then(async (part) => {
        await writeFileAtomic(path, part.bytes);
        const { header } = PartFile.open(path);
        for (const skipped of header.skipped) if (isTold(skipped.reason)) events.push({ kind: "skipped", ...skipped });
        pairs += part.pairs;
        bytes += header.bytes;
        return true;
      })
      .catch((error: unknown) => {
        failure ??= { error };
        return false;
      })
      .finally(() => running.delete(work));
    running.add(work);
    return work;
  };
  const closings: Promise<void>[] = [];
  const settle = async (): Promise<void> => {
    await Promise.all(running);
    await Promise.all(closings);
    if (failure !== undefined) throw failure.error;
    signal?.throwIfAborted();
  };

  for (const [place, source] of sources.entries()) {
    const names = partNames(source, place);
    const mark = await readMark(join(folder, names.mark));
    const parts = (count: number): string[] =>
      Array.from({ length: count }, (_, i) => i)
        .filter((i) => isOwn(source, i, shard))
        .map((i) => join(folder, names.part(i)));
    if (mark !== undefined && mark.failures === 0 && parts(mark.batches).every((path) => existsSync(path))) {
      meter.update((done += 1), note());
      yield* events.splice(0);
      continue;
    }
    // A source that failed last time may be whole now: its last batch was cut by the failure.
    if (mark !== undefined) await rm(join(folder, names.part(mark.batches - 1)), { force: true });
    let batches = 0;
    let failures = 0;
    const own: Promise<boolean>[] = [];
    const wanted = {
      place,
      languages: languagesOf(options.config, source),
      maxFileBytes: options.config.maxFileBytes,
      batchBytes: options.batchBytes,
      isExcluded,
      signal,
    };
    try {
      for await (const batch of readBatches(source, wanted)) {
        batches += 1;
        failures += batch.failures;
        const path = join(folder, names.part(batch.number));
        if (isOwn(source, batch.number, shard) && !existsSync(path)) {
          own.push(start(batch, path));
          while (running.size >= options.inHand) await Promise.race(running);
        }
        if (failure !== undefined || signal?.aborted === true) break;
        meter.update(done, note());
        yield* events.splice(0);
      }
    } catch (error) {
      failure ??= { error };
    }
    if (failure !== undefined || signal?.aborted === true) break;
    // The mark says that every part is there: written behind the last of them, while the next source is read.
    const written: SourceMark = { origin: source.origin, batches, failures };
    const closing = Promise.all(own).then(async (made) => {
      if (made.every(Boolean)) await writeFileAtomic(join(folder, names.mark), `${JSON.stringify(written)}\n`);
      done += 1;
    });
    closings.push(closing.catch((error: unknown) => void (failure ??= { error })));
    if (failures > 0 && source.required) incomplete.push(source.origin);
    meter.update(done, note());
    yield* events.splice(0);
  }
  await settle();
  meter.update(done, note());
  yield* events.splice(0);
  return incomplete;
}

/** @returns undefined where there is none, or a broken one */
export async function readMark(path: string): Promise<SourceMark | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as SourceMark;
  } catch {
    return undefined;
  }
}

function languagesOf(config: CorpusConfig, source: Source): ReadonlySet<Language> {
  const own = source.config.languages ?? LANGUAGES;
  return new Set(own.filter((lang) => config.languages?.includes(lang) ?? true));
}

/** Whether an origin is named by the patterns, as `git:owner/name` or as `owner/name`. */
export function originMatcher(globs: readonly string[]): (origin: string) => boolean {
  const pattern = globsToRegExp(globs);
  if (pattern === undefined) return () => false;
  return (origin) => pattern.test(origin) || pattern.test(origin.slice(origin.indexOf(":") + 1));
}

async function clearPartials(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (name.endsWith(".partial")) await rm(join(folder, name), { force: true });
}
