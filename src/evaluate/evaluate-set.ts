import { internalError, Rng, type ProgressListener } from "../base/index.js";
import { bm25 } from "./bm25.js";
import { evaluateClassification, type ClassificationReport } from "./classification.js";
import { hybrid } from "./hybrid.js";
import type { RankingMetrics } from "./metrics.js";
import { evaluateScores, scoresOf, type RetrievalEvaluation, type RetrievalReport } from "./retrieval.js";
import { loadSet, type EvaluationSet } from "./sets.js";

/** What the texts are to the encoder: limits on length may differ. Labelled programs count as documents. */
export type Side = "query" | "document";

/** Embeds texts in their order, one vector [width] each. */
export type Embed = (texts: readonly string[], side: Side) => AsyncIterable<Float32Array>;

export interface EvaluateSetOptions {
  /** The set's folder, or the set, loaded. */
  readonly set: string | EvaluationSet;
  readonly embed: Embed;
  /** Seeds of the linear probe; default `Rng.fromSeed(0)`. */
  readonly rng?: Rng;
  /** Adds the reports of BM25 and of both together, `bm25` and `hybrid` (retrieval only). */
  readonly baseline?: boolean;
  readonly onProgress?: ProgressListener;
  readonly signal?: AbortSignal;
}

/** The set's name and task beside the report's own keys. */
export type SetReport = { readonly set: string } & (
  | ({ readonly kind: "retrieval" } & RetrievalReport & { readonly [System in Baseline]?: RetrievalReport })
  | ({ readonly kind: "classification" } & ClassificationReport)
);

/** BM25, and its z-scores together with the encoder's ({@link hybrid}). */
export type Baseline = "bm25" | "hybrid";

export interface SetEvaluation {
  readonly report: SetReport;
  /** Retrieval: one entry a query, for {@link pairedBootstrap}; classification: empty. */
  readonly perQuery: readonly RankingMetrics[];
  /** The same of each baseline, where asked for. */
  readonly baselines: { readonly [System in Baseline]?: readonly RankingMetrics[] };
}

/**
 * Embeds a set's texts and scores them. Equal texts are embedded once, and where queries are documents themselves
 * (`exclude_self`) they are embedded as documents.
 *
 * @throws UserError of {@link loadSet}, and what `embed` throws
 */
export async function evaluateSet(options: EvaluateSetOptions): Promise<SetEvaluation> {
  const { embed, rng = Rng.fromSeed(0), onProgress, signal } = options;
  const watching = { ...(onProgress === undefined ? {} : { onProgress }), ...(signal === undefined ? {} : { signal }) };
  const set = typeof options.set === "string" ? await loadSet(options.set) : options.set;
  if (set.kind === "classification") {
    const [train, test] = await embedGroups(embed, "document", [set.train, set.test]);
    const report = evaluateClassification(set, train!, test!, { rng });
    return { report: { set: set.name, kind: set.kind, ...report }, perQuery: [], baselines: {} };
  }
  const vectors = set.excludeSelf
    ? await embedGroups(embed, "document", [set.queries, set.docs])
    : [...(await embedGroups(embed, "query", [set.queries])), ...(await embedGroups(embed, "document", [set.docs]))];
  const dense = scoresOf(set, vectors[0]!, vectors[1]!);
  const { report, perQuery } = await evaluateScores(set, dense, watching);
  const baselines: Partial<Record<Baseline, RetrievalEvaluation>> = {};
  if (options.baseline === true) {
    const lexical = bm25(set);
    baselines.bm25 = await evaluateScores(set, lexical, watching);
    baselines.hybrid = await evaluateScores(set, hybrid(dense, lexical, set.docs.length), watching);
  }
  const of = <T>(pick: (evaluation: RetrievalEvaluation) => T): { [System in Baseline]?: T } =>
    Object.fromEntries(Object.entries(baselines).map(([name, evaluation]) => [name, pick(evaluation)]));
  return {
    report: { set: set.name, kind: set.kind, ...report, ...of((evaluation) => evaluation.report) },
    perQuery,
    baselines: of((evaluation) => evaluation.perQuery),
  };
}

/** One matrix a group, embedding every distinct text of all groups once. */
export async function embedGroups(
  embed: Embed,
  side: Side,
  groups: readonly (readonly { text: string }[])[],
): Promise<Float32Array[]> {
  const rowOf = new Map<string, number>();
  for (const { text } of groups.flat()) if (!rowOf.has(text)) rowOf.set(text, rowOf.size);
  const texts = [...rowOf.keys()];
  let matrix = new Float32Array(0);
  let width = 0;
  let row = 0;
  for await (const vector of embed(texts, side)) {
    if (row === 0) {
      width = vector.length;
      matrix = new Float32Array(width * texts.length);
    }
    if (vector.length !== width || row === texts.length) {
      throw internalError(`embed: expected ${texts.length} vectors of ${width}, got one of ${vector.length} at ${row}`);
    }
    matrix.set(vector, width * row);
    row += 1;
  }
  if (row !== texts.length) throw internalError(`embed: expected ${texts.length} vectors, got ${row}`);
  return groups.map((group) => {
    const out = new Float32Array(group.length * width);
    group.forEach(({ text }, i) => {
      const at = rowOf.get(text)! * width;
      out.set(matrix.subarray(at, at + width), i * width);
    });
    return out;
  });
}
