import { cosineHistograms, geometryOf, UserError, type CosineHistograms, type Geometry } from "../base/index.js";
import { round4 } from "./_round.js";
import { bm25 } from "./bm25.js";
import { embedGroups, type Embed } from "./evaluate-set.js";
import { evaluateRetrieval, evaluateScores, type EvaluateOptions, type MeanMetrics } from "./retrieval.js";
import { pairedSet } from "./sets.js";
import { normaliseRows } from "./similarity.js";

/** How an encoder finds each summary's function among those of all pairs, and how its vectors lie. */
export interface PairsReport {
  readonly kind: "pairs";
  readonly pairs: number;
  readonly all: MeanMetrics;
  /** Means by the function's language, over the same candidates. */
  readonly languages: Readonly<Record<string, { readonly n: number; readonly MRR: number }>>;
  readonly bm25?: MeanMetrics;
  readonly geometry: Geometry;
  readonly cosines: CosineHistograms;
}

/** A pair to rank. */
export interface HeldPair {
  readonly id: string;
  readonly summary: string;
  readonly code: string;
  readonly lang: string;
}

export interface EvaluatePairsOptions extends EvaluateOptions {
  readonly pairs: readonly HeldPair[];
  readonly embed: Embed;
  /** Adds BM25 on the same pairs. */
  readonly baseline?: boolean;
}

/** @throws UserError `evaluate.pairs` for fewer than two; those of {@link evaluateRetrieval}, and what `embed` throws */
export async function evaluatePairs(options: EvaluatePairsOptions): Promise<PairsReport> {
  const { pairs, embed, baseline = false, onProgress, signal } = options;
  if (pairs.length < 2) {
    throw new UserError("evaluate.pairs", `evaluate: expected at least 2 pairs, got ${pairs.length}`, {
      fix: "Draw more, or from another split",
    });
  }
  const set = pairedSet(
    "pairs",
    pairs.map(({ id, summary, code, lang }) => ({ id, query: summary, document: code, lang })),
  );
  const watching = { ...(onProgress === undefined ? {} : { onProgress }), ...(signal === undefined ? {} : { signal }) };
  const [queries] = await embedGroups(embed, "query", [set.queries]);
  const [docs] = await embedGroups(embed, "document", [set.docs]);
  const { report, perQuery } = await evaluateRetrieval(set, queries!, docs!, watching);
  const width = queries!.length / pairs.length;
  const [text, code] = [normaliseRows(queries!, width), normaliseRows(docs!, width)];
  const { alignment, uniformity, meanCosine, effectiveRank } = await geometryOf(text, code, width);
  const ranks = new Map<string, number[]>();
  pairs.forEach(({ lang }, i) => ranks.set(lang, [...(ranks.get(lang) ?? []), perQuery[i]!.MRR]));
  const mean = (values: readonly number[]): number => round4(values.reduce((a, b) => a + b, 0) / values.length);
  return {
    kind: "pairs",
    pairs: pairs.length,
    all: report.all,
    languages: Object.fromEntries(
      [...ranks].sort(([a], [b]) => (a < b ? -1 : 1)).map(([lang, own]) => [lang, { n: own.length, MRR: mean(own) }]),
    ),
    ...(baseline ? { bm25: (await evaluateScores(set, bm25(set), watching)).report.all } : {}),
    geometry: {
      alignment: round4(alignment),
      uniformity: round4(uniformity),
      meanCosine: round4(meanCosine),
      effectiveRank: round4(effectiveRank),
    },
    cosines: cosineHistograms(text, code, width),
  };
}
