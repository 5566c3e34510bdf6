import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  lockFolder,
  messageOf,
  parseConfig,
  ProgressMeter,
  sha256,
  UserError,
  writeError,
  writeFileAtomic,
} from "../base/index.js";
import { loadLanguages } from "../languages/index.js";
import { corpusSchema, type CorpusConfig, type CorpusInput } from "./config.js";
import { Counts } from "./_counts.js";
import { Seen, SummaryCap } from "./_dedupe.js";
import { extract, type Extraction } from "./filters/index.js";
import { cutLicence } from "./filters/index.js";
import { listFiles, type SourceFile } from "./_list.js";
import { loadText } from "./_load.js";
import { CORPUS_VERSION, MANIFEST, readManifest } from "./read.js";
import { ShardWriter } from "./_shards.js";
import type { CorpusDocument, CorpusEvent, CorpusManifest, CorpusPair } from "./types.js";

export interface BuildOptions {
  /** Replace a complete corpus of other config or inputs. Default: refuse. */
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Builds a corpus folder: files -> functions -> filtered pairs -> deduplicated, split -> shards, and a manifest last. The
 * same config and inputs give the same bytes. A folder that is complete and up to date is left as it is; what an
 * interrupted build left is cleared.
 *
 * @throws UserError `config.*`, `corpus.source`, `corpus.empty`, `corpus.exists`, `output.*`; the signal's reason
 */
export async function* buildCorpus(
  input: CorpusInput,
  out: string,
  options: BuildOptions = {},
): AsyncGenerator<CorpusEvent, CorpusManifest> {
  const config = parseConfig(corpusSchema, input, "corpus config");
  await mkdir(out, { recursive: true }).catch((error: unknown) => {
    throw writeError(out, error);
  });
  const release = await lockFolder(out);
  try {
    return yield* build(config, out, options);
  } finally {
    await release();
  }
}

async function* build(
  config: CorpusConfig,
  out: string,
  options: BuildOptions,
): AsyncGenerator<CorpusEvent, CorpusManifest> {
  const { signal } = options;
  const counts = new Counts();
  const events: CorpusEvent[] = [];
  const skip = (origin: string, path: string, reason: string): void => {
    if (counts.skip({ origin, path, reason })) events.push({ kind: "skipped", origin, path, reason });
  };
  const files = await listFiles(config, skip, signal);
  const inputs = sha256(files.map(({ origin, path, bytes }) => `${origin}\t${path}\t${bytes}\n`).join(""));
  const existing = await upToDate(config, inputs, out, options.overwrite ?? false);
  if (existing !== undefined) {
    yield { kind: "done", manifest: existing, reused: true };
    return existing;
  }
  await clear(out);
  await loadLanguages(new Set(files.map(({ lang }) => lang)));

  const documents = new ShardWriter(out, "documents", config.shardRecords);
  const pairs = new ShardWriter(out, "pairs", config.shardRecords);
  const total = files.reduce((sum, { bytes }) => sum + Math.max(0, bytes), 0);
  const meter = new ProgressMeter("corpus", "bytes", total, (event) => events.push(event));
  let done = 0;
  try {
    const kept = deduplicate(extractAll(loadAll(files, config, skip, signal), config, skip), config, counts);
    for await (const { file, document, candidates } of kept) {
      if (document !== undefined) await documents.write(document);
      for (const pair of candidates) await pairs.write(pair);
      done += Math.max(0, file.bytes);
      const { train, validation, test } = counts.splits;
      meter.update(done, `${train.pairs + validation.pairs + test.pairs} pairs`);
      yield* events.splice(0);
    }
    meter.update(total);
    yield* events.splice(0);
    if (counts.summary().documents === 0) throw emptyError(config, files.length);
    await documents.close();
    await pairs.close();
  } catch (error) {
    await documents.abort();
    await pairs.abort();
    throw error;
  }
  signal?.throwIfAborted();
  const manifest: CorpusManifest = {
    format: "lodestone-corpus",
    version: CORPUS_VERSION,
    config,
    inputs,
    ...counts.summary(),
    shards: { documents: documents.shards, pairs: pairs.shards },
  };
  await writeFileAtomic(join(out, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  yield { kind: "done", manifest, reused: false };
  return manifest;
}

interface Loaded {
  readonly file: SourceFile;
  /** Undefined where the file was passed over. */
  readonly text: string | undefined;
}
interface Extracted extends Loaded {
  readonly extraction: Extraction | undefined;
}
interface Kept {
  readonly file: SourceFile;
  readonly document: CorpusDocument | undefined;
  readonly candidates: readonly CorpusPair[];
}
type Skip = (origin: string, path: string, reason: string) => void;

/** Reads files and applies the filters on names and texts. */
async function* loadAll(
  files: readonly SourceFile[],
  config: CorpusConfig,
  skip: Skip,
  signal: AbortSignal | undefined,
): AsyncGenerator<Loaded> {
  for (const file of files) {
    signal?.throwIfAborted();
    const loaded = await loadText(file, config.maxFileBytes);
    if ("reason" in loaded) skip(file.origin, file.path, loaded.reason);
    yield { file, text: "text" in loaded ? loaded.text : undefined };
  }
}

/** Parses. One call per file on plain data, so that worker threads can do it. */
async function* extractAll(source: AsyncIterable<Loaded>, config: CorpusConfig, skip: Skip): AsyncGenerator<Extracted> {
  let since = performance.now();
  for await (const { file, text } of source) {
    if (performance.now() - since > 50) {
      await nextTurn(); // Signals and timers get their turn.
      since = performance.now();
    }
    if (text === undefined) {
      yield { file, text, extraction: undefined };
      continue;
    }
    try {
      yield { file, text, extraction: extract(text, file.lang, config) };
    } catch (error) {
      // A grammar may run out of WebAssembly memory on one file; the others are still worth having.
      if (!/memory|wasm|unreachable|RuntimeError/i.test(messageOf(error))) throw error;
      skip(file.origin, file.path, "parser");
      yield { file, text: undefined, extraction: undefined };
    }
  }
}

/** Drops what was seen before, here or in held-out data, and counts. */
async function* deduplicate(
  source: AsyncIterable<Extracted>,
  config: CorpusConfig,
  counts: Counts,
): AsyncGenerator<Kept> {
  const texts = new Seen();
  const codes = new Seen();
  const summaries = new SummaryCap(config.maxRepeats);
  for await (const { file, text, extraction } of source) {
    if (text === undefined || extraction === undefined) {
      yield { file, document: undefined, candidates: [] };
      continue;
    }
    const { lang, split, origin, path } = file;
    const language = counts.of(lang);
    language.files += 1;
    language.characters += text.length;
    language.functions += extraction.functions;
    language.withDocstring += extraction.withDocstring;
    language.withSummary += extraction.candidates.length;
    for (const [reason, count] of Object.entries(extraction.dropped)) counts.drop(lang, reason, count);

    const content = cutLicence(text, lang);
    const isNew = content.trim() !== "" && texts.isNew(content);
    if (!isNew) counts.skip({ origin, path, reason: "duplicate" });
    const document = isNew ? { id: identify(origin, path), lang, path, origin, split, text: content } : undefined;
    const candidates: CorpusPair[] = [];
    for (const found of extraction.candidates) {
      const refused = codes.isNew(found.code) ? summaries.refuse(found.summary, lang, split) : "duplicate-code";
      if (refused !== undefined) {
        counts.drop(lang, refused);
        continue;
      }
      const { summary, code, body, name, startLine, endLine } = found;
      const id = identify(origin, path, startLine, name);
      candidates.push({ id, lang, summary, code, body, name, path, origin, startLine, endLine, split });
    }
    if (document !== undefined) language.documents += 1;
    language.pairs += candidates.length;
    language.pairsBySplit[split] += candidates.length;
    counts.splits[split].documents += document === undefined ? 0 : 1;
    counts.splits[split].pairs += candidates.length;
    yield { file, document, candidates };
  }
}

function identify(...parts: readonly (string | number)[]): string {
  return sha256(parts.join("\n")).slice(0, 16);
}

/** The manifest in `out` if it belongs to this config and these inputs. @throws UserError `corpus.exists` */
async function upToDate(
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
    {
      fix: "Choose another output folder, or say that it may be replaced (--overwrite)",
    },
  );
}

/** Removes our own files only: the manifest first, so that the folder never looks complete. */
async function clear(out: string): Promise<void> {
  await rm(join(out, MANIFEST), { force: true });
  for (const name of await readdir(out)) {
    if (/^(?:documents|pairs)-\d{5}\.jsonl(?:\.\d+\.partial)?$/.test(name)) await rm(join(out, name), { force: true });
  }
}

function emptyError(config: CorpusConfig, files: number): UserError {
  const places = config.sources.map(({ path }) => path).join(", ");
  return new UserError(
    "corpus.empty",
    `corpus: expected source files in ${places}, got ${files} files and none usable`,
    {
      fix: "Check the paths, languages and exclude patterns of the sources",
    },
  );
}
