import { setImmediate } from "node:timers/promises";
import { ProgressMeter, UserError, type ProgressListener } from "../base/index.js";
import { numpyPermutation } from "./_numpy-permutation.js";
import { round4 } from "./_round.js";
import { requireFinite } from "./features.js";
import { RANKING_METRICS, rankingMetrics, ranksOf, reciprocalRank, type RankingMetrics } from "./metrics.js";
import type { RetrievalSet } from "./sets.js";
import { dotProducts, normaliseRows } from "./similarity.js";

/** Means over `n` queries, four decimals. */
export type MeanMetrics = RankingMetrics & { readonly n: number };

/** Plain data, ready for JSON. Keys with dots and signs are those of other scorers of this set format. */
export interface RetrievalReport {
  readonly all: MeanMetrics;
  /** MRR where a first hit past rank 1,000 counts zero, as the paper's released script has it. */
  readonly "MRR@1000": number;
  /** Where the queries have several languages. */
  readonly by_query_lang?: Readonly<Record<string, MeanMetrics>>;
  /** Unweighted mean over those languages. */
  readonly macro_query_lang?: RankingMetrics;
  /** `python->java`: [MAP, queries], candidates are all documents of the target language; sets with `lang_matrix`. */
  readonly matrix_MAP?: Readonly<Record<string, readonly [number, number]>>;
  /** Unweighted mean over pairs of two different languages with at least ten queries. */
  readonly "mean_pair_MAP(n>=10,cross)"?: number;
}

export interface RetrievalEvaluation {
  readonly report: RetrievalReport;
  /** Per query, in the set's order, not rounded: what {@link pairedBootstrap} compares. */
  readonly perQuery: readonly RankingMetrics[];
}

export interface EvaluateOptions {
  readonly onProgress?: ProgressListener;
  readonly signal?: AbortSignal;
}

/** Writes the scores of queries `from` .. `to` for all documents into `out` [to - from, docs]. */
export type ScoreBlock = (from: number, to: number, out: Float32Array) => void;

const BLOCK_NUMBERS = 4 * 2 ** 20; // 16 MiB of scores at a time, whatever the set's size.

/**
 * Ranks all documents for every query by cosine similarity.
 *
 * @param queries [queries, width], @param docs [docs, width], rows in the set's order; they need not be unit vectors.
 * @throws UserError `evaluate.shape`, `evaluate.not-finite`
 */
export async function evaluateRetrieval(
  set: RetrievalSet,
  queries: Float32Array,
  docs: Float32Array,
  options: EvaluateOptions = {},
): Promise<RetrievalEvaluation> {
  return evaluateScores(set, scoresOf(set, queries, docs), options);
}

/** Cosine similarities as {@link evaluateScores} takes them. Parameters and errors as {@link evaluateRetrieval}. */
export function scoresOf(set: RetrievalSet, queries: Float32Array, docs: Float32Array): ScoreBlock {
  const width = docs.length / set.docs.length;
  if (!Number.isInteger(width) || width === 0 || queries.length !== width * set.queries.length) {
    throw new UserError(
      "evaluate.shape",
      `${set.name}: expected ${set.queries.length} + ${set.docs.length} vectors of one width, got ${queries.length} + ${docs.length} numbers`,
    );
  }
  requireFinite(queries, width, `${set.name}: queries`);
  requireFinite(docs, width, `${set.name}: documents`);
  const [Q, D] = [normaliseRows(queries, width), normaliseRows(docs, width)];
  return (from, to, out) => dotProducts(Q, D, width, from, to, out);
}

/**
 * Ranks all documents for every query by any score, higher is better; equal scores are ordered by a fixed permutation of
 * the documents, so that their order in the file gives nothing away.
 */
export async function evaluateScores(
  set: RetrievalSet,
  scores: ScoreBlock,
  options: EvaluateOptions = {},
): Promise<RetrievalEvaluation> {
  const count = set.docs.length;
  const ties = numpyPermutation(count, 0);
  const docIndex = new Map(set.docs.map(({ id }, i) => [id, i]));
  const perQuery: RankingMetrics[] = [];
  const truncated: number[] = [];
  const pairs = new Map<string, { cross: boolean; precisions: number[] }>();
  const rows = Math.max(1, Math.min(set.queries.length, Math.floor(BLOCK_NUMBERS / count)));
  const block = new Float32Array(rows * count);
  const masked = new Float32Array(count);
  const meter = new ProgressMeter("evaluate", "queries", set.queries.length, options.onProgress);
  for (let from = 0; from < set.queries.length; from += rows) {
    options.signal?.throwIfAborted();
    const to = Math.min(from + rows, set.queries.length);
    scores(from, to, block);
    for (let q = from; q < to; q++) {
      const own = block.subarray((q - from) * count, (q - from + 1) * count);
      const { id, lang } = set.queries[q]!;
      const self = set.excludeSelf ? docIndex.get(id) : undefined;
      if (self !== undefined) own[self] = -Infinity;
      if (set.sameLangOnly) keepLanguage(set, lang, own, own);
      const relevant = set.relevant[q]!;
      const ranks = ranksOf(own, relevant, ties);
      perQuery.push(rankingMetrics(ranks));
      truncated.push(reciprocalRank(ranks, 1000));
      if (!set.langMatrix) continue;
      for (const target of new Set(Array.from(relevant, (d) => set.docs[d]!.lang))) {
        keepLanguage(set, target, own, masked);
        const there = relevant.filter((d) => set.docs[d]!.lang === target);
        const key = `${lang === "" ? "nl" : lang}->${target}`;
        const pair = pairs.get(key) ?? { cross: lang !== target, precisions: [] };
        pairs.set(key, pair);
        pair.precisions.push(rankingMetrics(ranksOf(masked, there, ties)).MAP);
      }
    }
    meter.update(to);
    await setImmediate(); // Lets signals and progress through.
  }
  const report = {
    all: means(perQuery),
    "MRR@1000": round4(mean(truncated)),
    ...byLanguage(set, perQuery),
    ...matrix(pairs),
  };
  return { report, perQuery };
}

function keepLanguage(set: RetrievalSet, lang: string, scores: Float32Array, out: Float32Array): void {
  for (let d = 0; d < out.length; d++) out[d] = set.docs[d]!.lang === lang ? scores[d]! : -Infinity;
}

function byLanguage(set: RetrievalSet, perQuery: readonly RankingMetrics[]): Partial<RetrievalReport> {
  const langs = [...new Set(set.queries.map(({ lang }) => lang))].sort();
  if (langs.length < 2) return {};
  const entries = langs.map((lang) => [lang, means(perQuery.filter((_, q) => set.queries[q]!.lang === lang))] as const);
  // The mean of the rounded means, as the set's other scorers take it.
  const macro = fromNames((name) => round4(mean(entries.map(([, metrics]) => metrics[name]))));
  return { by_query_lang: Object.fromEntries(entries), macro_query_lang: macro };
}

function matrix(pairs: ReadonlyMap<string, { cross: boolean; precisions: number[] }>): Partial<RetrievalReport> {
  if (pairs.size === 0) return {};
  const entries = [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
  const cells = entries.map(
    ([key, { precisions }]) => [key, [round4(mean(precisions)), precisions.length] as const] as const,
  );
  const large = entries.filter(([, { cross, precisions }]) => cross && precisions.length >= 10);
  const average = round4(mean(large.map(([, { precisions }]) => round4(mean(precisions)))));
  return {
    matrix_MAP: Object.fromEntries(cells),
    ...(large.length === 0 ? {} : { "mean_pair_MAP(n>=10,cross)": average }),
  };
}

function means(rows: readonly RankingMetrics[]): MeanMetrics {
  return { ...fromNames((name) => round4(mean(rows.map((row) => row[name])))), n: rows.length };
}

function fromNames(value: (name: keyof RankingMetrics) => number): RankingMetrics {
  return Object.fromEntries(RANKING_METRICS.map((name) => [name, value(name)])) as unknown as RankingMetrics;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
