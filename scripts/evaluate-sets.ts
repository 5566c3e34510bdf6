/**
 * `npm run evaluate:sets -- SETS --model NAME=DIR [--model NAME=DIR ...] --out FILE.json`
 *
 * Scores encoders, BM25 and their hybrids on every evaluation set in the folder SETS, by the measure its `meta.json`
 * names, each with the middle 95% of a bootstrap over queries, and every encoder and hybrid against BM25 pairwise.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Rng, UserError, writeFileAtomic } from "../src/base/index.js";
import { openEncoder, type Embedder } from "../src/encoder/index.js";
import {
  evaluateSet,
  loadSet,
  pairedBootstrap,
  RANKING_METRICS,
  round4,
  type EvaluationSet,
  type RankingMetrics,
} from "../src/evaluate/index.js";
import { describeCommit, describeMachine } from "../bench/harness/index.js";

const USAGE = "npm run evaluate:sets -- SETS --model NAME=DIR [--model NAME=DIR ...] --out FILE.json";
const SAMPLES = 10_000;
type Measure = keyof RankingMetrics;
type Scores = Record<string, readonly number[]>;

const { values: options, positionals } = parseArgs({
  options: { model: { type: "string", multiple: true, default: [] }, out: { type: "string" } },
  allowPositionals: true,
});
const [folder] = positionals;
const models = options.model.map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string | undefined]);
if (folder === undefined || options.out === undefined || models.length === 0 || models.some(([, dir]) => !dir)) {
  throw new UserError("arguments.value", "evaluate:sets: expected a folder of sets, models and --out", { fix: USAGE });
}
const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, "meta.json")));
const sets: Record<string, unknown> = {};
const encoders: (readonly [string, Embedder])[] = [];
for (const [name, dir] of models) encoders.push([name, await openEncoder(dir!, { threads: 2 })]);
for (const name of names.sort()) {
  const set = await loadSet(join(folder, name));
  sets[name] = set.kind === "retrieval" ? await retrieval(set, measureOf(join(folder, name))) : await labels(set);
  console.error(name, JSON.stringify(sets[name]));
}
const dims = Object.fromEntries(encoders.map(([name, { dim }]) => [name, dim]));
const result = {
  dims,
  bootstrap: { samples: SAMPLES, seed: 0, interval: 0.95 },
  sets,
  machine: describeMachine(),
  commit: describeCommit(),
};
await writeFileAtomic(options.out, `${JSON.stringify(result, undefined, 2)}\n`);
for (const [, encoder] of encoders) await encoder.close();

/** What the set is judged by: `primary` in its `meta.json`. */
function measureOf(dir: string): Measure {
  const { primary } = JSON.parse(readFileSync(join(dir, "meta.json"), "utf8")) as { primary?: string };
  const measure = RANKING_METRICS.find((name) => name === primary);
  if (measure !== undefined) return measure;
  throw new UserError(
    "evaluate.measure",
    `${dir}: expected primary to be one of ${RANKING_METRICS.join(", ")}, got ${primary}`,
  );
}

/** Each system's mean and interval, and its difference from BM25. */
async function retrieval(set: EvaluationSet, measure: Measure): Promise<unknown> {
  const scores: Scores = {};
  const further: Record<string, unknown> = {};
  for (const [name, encoder] of encoders) {
    const { report, perQuery, baselines } = await evaluate(set, encoder, true);
    const of = (rows: readonly RankingMetrics[]): number[] => rows.map((row) => row[measure]);
    scores["bm25"] ??= of(baselines.bm25!);
    scores[name] = of(perQuery);
    scores[`${name}+bm25`] = of(baselines.hybrid!);
    if (report.kind !== "retrieval") continue;
    const { bm25, hybrid, ...own } = report;
    further[name] = own;
    further["bm25"] ??= bm25;
    further[`${name}+bm25`] = hybrid;
  }
  const lexical = scores["bm25"]!;
  const zeros = lexical.map(() => 0);
  const against = (a: readonly number[], b: readonly number[]): Record<string, number> =>
    Object.fromEntries(
      Object.entries(pairedBootstrap(a, b, { rng: Rng.fromSeed(0), samples: SAMPLES })).map(([key, value]) => [
        key,
        round4(Number(value)),
      ]),
    );
  const systems = Object.entries(scores).map(([name, own]) => {
    const { difference: value, low, high } = against(own, zeros);
    return [name, { value, low, high, ...(name === "bm25" ? {} : { againstBm25: against(own, lexical) }) }] as const;
  });
  return { measure, queries: lexical.length, systems: Object.fromEntries(systems), reports: further };
}

/** Classification has no lexical baseline here: a linear head on each encoder's vectors. */
async function labels(set: EvaluationSet): Promise<unknown> {
  const systems: Record<string, unknown> = {};
  for (const [name, encoder] of encoders) systems[name] = (await evaluate(set, encoder, false)).report;
  return { measure: "macro-F1", systems };
}

function evaluate(set: EvaluationSet, encoder: Embedder, baseline: boolean): ReturnType<typeof evaluateSet> {
  return evaluateSet({ set, embed: (texts) => encoder.embed(texts), baseline });
}
