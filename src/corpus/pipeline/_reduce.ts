import { rm } from "node:fs/promises";
import { join } from "node:path";
import { LANGUAGES, ProgressMeter, sha256, UserError, writeFileAtomic } from "../../base/index.js";
import type { CorpusConfig } from "../config.js";
import { CORPUS_VERSION, MANIFEST } from "../read.js";
import { SPLITS, type CorpusEvent, type CorpusManifest, type DroppedSample, type Split } from "../types.js";
import type { DocumentRecord, PairRecord } from "./_batch.js";
import { datasetCard } from "./_card.js";
import { DOCUMENT_COLUMNS, PAIR_COLUMNS } from "./_columns.js";
import { Decisions, HELD_OUT_CODE } from "./_decisions.js";
import { deduplicate } from "./_dedupe.js";
import { keyOf } from "./_hash.js";
import { isTold, originMatcher } from "./_map.js";
import { PartFile } from "./_part.js";
import type { PartSet, PlacedPart } from "./_part-set.js";
import { limitOrigins, limitSources, limitSummaries } from "./_rules.js";
import { Samples } from "./_samples.js";
import { ShardWriter } from "./_shards.js";
import { planSplit, type OriginCounts, type SplitPlan } from "./_split.js";
import { Tally } from "./_tally.js";

export const DROPPED = "dropped.json";
export const CARD = "README.md";
/** Beside a corpus that was made from another: that one's manifest. */
export const PARENT = "parent.json";

export interface ReduceOptions {
  readonly config: CorpusConfig;
  readonly out: string;
  /** A folder for the indices on disk; it is removed. */
  readonly scratch: string;
  readonly sets: readonly { readonly name: string; readonly texts: number }[];
  readonly inputs: string;
  readonly signal?: AbortSignal | undefined;
}

/** Reduce: parts in, a corpus out. Depends on the parts only, not on who made them or in what order. */
export async function* reduceParts(
  parts: PartSet,
  options: ReduceOptions,
): AsyncGenerator<CorpusEvent, { manifest: CorpusManifest; incomplete: string[] }> {
  const { config, signal } = options;
  const decisions = new Decisions(parts.pairs, parts.documents);
  const fixed = fixedSplits(parts, config);
  const preference = (part: PlacedPart, origin: number): number =>
    SPLITS.indexOf(fixed(part.source, origin) ?? "train");
  const started = performance.now();
  const work = { folder: options.scratch, thresholds: config.dedupe, preference, signal };
  for await (const note of deduplicate(parts, decisions, work)) {
    const elapsedSeconds = (performance.now() - started) / 1000;
    const done = parts.pairs + parts.documents;
    yield {
      kind: "progress",
      stage: "dedupe",
      done,
      total: undefined,
      unit: "records",
      elapsedSeconds,
      etaSeconds: undefined,
      note,
    };
  }
  await rm(options.scratch, { recursive: true, force: true });
  limitSources(parts, decisions);
  const plan = assignSplits(parts, decisions, config, fixed);
  limitSummaries(parts, decisions, config.maxRepeats);
  limitOrigins(parts, decisions, config.maxOriginShare);
  dropHeldOutCode(parts, decisions);
  return yield* write(parts, decisions, plan, options);
}

type FixedSplits = (source: number, origin: number) => Split | undefined;

/** The splits that the config gives, by source or by the origin's name. */
function fixedSplits(parts: PartSet, { split }: CorpusConfig): FixedSplits {
  const isTest = originMatcher(split.heldOut.test);
  const isValidation = originMatcher(split.heldOut.validation);
  const byName = parts.origins.map((origin): Split | undefined =>
    isTest(origin) ? "test" : isValidation(origin) ? "validation" : undefined,
  );
  return (source, origin) => byName[origin] ?? parts.sources[source]!.split;
}

function assignSplits(parts: PartSet, decisions: Decisions, config: CorpusConfig, fixed: FixedSplits): SplitPlan {
  // A source may fix the split of an origin that another one leaves open: then the two are planned apart.
  const rows = new Map<string, OriginCounts>();
  const count = (kind: "pairs" | "documents", weight: number): void =>
    parts.each(kind, (index, row, number, part) => {
      if (!decisions.isKept(kind, number)) return;
      const origin = part.origins[index.origin(row)]!;
      const split = fixed(part.source, origin);
      const key = `${origin}\n${split ?? ""}`;
      let counts = rows.get(key);
      if (counts === undefined) {
        counts = { origin: parts.origins[origin]!, split, counts: new Float64Array(LANGUAGES.length) };
        rows.set(key, counts);
      }
      counts.counts[index.lang(row)]! += weight;
    });
  count("pairs", 1);
  // Documents decide only where there are no pairs at all.
  count("documents", 2 ** -20);
  const plan = planSplit([...rows.values()], config);
  for (const kind of ["pairs", "documents"] as const) {
    parts.each(kind, (index, row, number, part) => {
      const origin = part.origins[index.origin(row)]!;
      const split = plan.of(
        parts.origins[origin]!,
        fixed(part.source, origin),
        LANGUAGES[index.lang(row)]!,
        index.draw(row),
      );
      decisions.assign(kind, number, split);
    });
  }
  return plan;
}

/** A training file that holds (nearly) the code of a held-out pair is no training file. */
function dropHeldOutCode(parts: PartSet, decisions: Decisions): void {
  parts.each("pairs", (rows, row, number, part) => {
    const keeper = decisions.keeper[number]!;
    const inPart = rows.document(row);
    if (keeper === number || inPart < 0) return;
    const document = part.firstDocument + inPart;
    if (decisions.splitNumber("documents", document) >= decisions.splitNumber("pairs", keeper)) return;
    if (decisions.isKept("documents", document)) decisions.drop("documents", document, HELD_OUT_CODE);
  });
}

async function* write(
  parts: PartSet,
  decisions: Decisions,
  plan: SplitPlan,
  { config, out, sets, inputs, signal }: ReduceOptions,
): AsyncGenerator<CorpusEvent, { manifest: CorpusManifest; incomplete: string[] }> {
  const tally = new Tally(parts.sources, sets);
  const samples = new Samples();
  const events: CorpusEvent[] = [];
  const meter = new ProgressMeter("write", "records", parts.pairs + parts.documents, (event) => events.push(event));
  const writers = {
    documents: SPLITS.map((split) => new ShardWriter(out, "documents", split, DOCUMENT_COLUMNS, config.shardRecords)),
    pairs: SPLITS.map((split) => new ShardWriter(out, "pairs", split, PAIR_COLUMNS, config.shardRecords)),
  };
  let done = 0;
  try {
    for (const { path, firstPair, firstDocument } of parts.parts) {
      signal?.throwIfAborted();
      const part = PartFile.open(path);
      tally.part(part.header, isTold);
      samples.add(part.samples());
      const documentRows = part.index("documents");
      for (const [i, record] of part.documents().entries()) {
        const reason = decisions.reason("documents", firstDocument + i);
        if (reason === undefined) {
          const number = decisions.splitNumber("documents", firstDocument + i);
          await writers.documents[number]!.write(record, record.text.length);
          tally.keep("documents", record.lang, SPLITS[number]!, record.licence);
        } else {
          tally.skip(reason);
          samples.offer(undefined, reason, rankOf(documentRows, i), () => documentSample(record));
        }
      }
      const pairRows = part.index("pairs");
      for (const [i, record] of part.pairs().entries()) {
        const reason = decisions.reason("pairs", firstPair + i);
        if (reason === undefined) {
          const number = decisions.splitNumber("pairs", firstPair + i);
          await writers.pairs[number]!.write(record, 2 * record.code.length + record.docstring.length);
          tally.keep("pairs", record.lang, SPLITS[number]!, record.licence);
        } else {
          tally.drop(record.lang, reason);
          samples.offer(record.lang, reason, rankOf(pairRows, i), () => pairSample(record));
        }
      }
      done += part.header.pairs + part.header.documents;
      meter.update(done);
      yield* events.splice(0);
    }
    if (tally.summary().documents + tally.summary().pairs === 0) throw emptyError(parts, tally);
    for (const writer of [...writers.documents, ...writers.pairs]) await writer.close();
  } catch (error) {
    for (const writer of [...writers.documents, ...writers.pairs]) await writer.abort();
    throw error;
  }
  signal?.throwIfAborted();
  const manifest: CorpusManifest = {
    format: "lodestone-corpus",
    version: CORPUS_VERSION,
    config,
    inputs,
    ...tally.summary(),
    splitByFile: plan.byFile,
    shards: {
      documents: writers.documents.flatMap(({ shards }) => shards),
      pairs: writers.pairs.flatMap(({ shards }) => shards),
    },
  };
  await writeFileAtomic(join(out, DROPPED), `${JSON.stringify(samples.summary(), null, 1)}\n`);
  await writeFileAtomic(join(out, CARD), datasetCard(manifest));
  await writeFileAtomic(join(out, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  return { manifest, incomplete: tally.incomplete };
}

function rankOf(rows: ReturnType<PartFile["index"]>, row: number): number {
  return keyOf({ hi: rows.half(row, "rank", 0), lo: rows.half(row, "rank", 1) });
}

function documentSample({ origin, path, text }: DocumentRecord): DroppedSample {
  return { origin, path, text: text.slice(0, 600) };
}

function pairSample({ origin, path, startLine, name, docstring, code }: PairRecord): DroppedSample {
  return { origin, path, startLine, name, docstring: docstring.slice(0, 400), text: code.slice(0, 600) };
}

function emptyError(parts: PartSet, tally: Tally): UserError {
  const { sources, skippedFiles } = tally.summary();
  const files = sources.reduce((total, { items }) => total + items, 0);
  const names = parts.sources.map(({ origin }) => origin.replace(/^directory:/, ""));
  const places = names.length > 5 ? `${names.slice(0, 4).join(", ")} and ${names.length - 4} others` : names.join(", ");
  const why = Object.entries(skippedFiles).map(([reason, count]) => `${count} ${reason}`);
  return new UserError(
    "corpus.empty",
    `corpus: expected source files in ${places}, ` +
      `got ${files} files and none usable${why.length === 0 ? "" : ` (${why.join(", ")})`}`,
    { fix: "Check the paths, languages and exclude patterns of the sources" },
  );
}

/** Hash of what a corpus is made from. */
export function inputsHash(parts: readonly string[]): string {
  return sha256(parts.join("\n"));
}
