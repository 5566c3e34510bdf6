import { WEIGHTS, type Weights } from "../_weights.js";
import type { Query } from "../text/query.js";
import type { Candidate, Tier } from "../store/store.js";
import { FEATURES, featuresOf, type Feature, type PathReader } from "./features.js";

/** Why a hit stands where it stands. Parts add up to its score. */
export interface Explanation {
  /** Cosine similarity by tier. */
  readonly cosines: Readonly<Partial<Record<Tier, number>>>;
  /** BM25. */
  readonly bm25: number;
  /** What similarity of vectors, words, and every other feature add to the score. */
  readonly semantic: number;
  readonly lexical: number;
  readonly features: Readonly<Partial<Record<Feature | "fileSupport" | "sameFile", number>>>;
  /** The features themselves, before weights. */
  readonly values: Readonly<Record<Feature, number>>;
}

export interface Ranked {
  readonly candidate: Candidate;
  readonly score: number;
  readonly explanation: Explanation;
}

/** Options of {@link rank}. */
export interface RankOptions {
  readonly limit: number;
  readonly paths: PathReader;
  readonly weights?: Weights;
}

/**
 * Orders candidates: a linear model over standardised scores and features, then what a file's other chunks say for it, and
 * a decay for each further hit of the same file, so that ten hits are not one file. Equal scores go by path and line.
 */
export function rank(query: Query, candidates: readonly Candidate[], options: RankOptions): Ranked[] {
  const { limit, paths, weights = WEIGHTS } = options;
  const model = Float64Array.from(FEATURES, (name) => weights[query.shape][name] ?? 0);
  const features = featuresOf(query, candidates, paths);
  const scores = features.map((values) => dot(values, model));
  const support = fileSupport(candidates, scores);
  const pool = candidates.map((candidate, i) => ({
    candidate,
    features: features[i]!,
    support: weights.fileSupport * support[i]!,
    score: scores[i]! + weights.fileSupport * support[i]!,
  }));
  pool.sort((a, b) => b.score - a.score || order(a.candidate, b.candidate));
  const out: Ranked[] = [];
  const taken = new Map<string, number>();
  const left = pool.slice(0, Math.max(4 * limit, 40));
  while (out.length < limit && left.length > 0) {
    let bestAt = 0;
    let bestScore = -Infinity;
    left.forEach(({ candidate, score }, i) => {
      const now = score - weights.sameFile * (taken.get(candidate.row.path) ?? 0);
      if (now > bestScore) [bestAt, bestScore] = [i, now];
    });
    const [item] = left.splice(bestAt, 1);
    const { candidate, features: values, support: own } = item!;
    const before = taken.get(candidate.row.path) ?? 0;
    taken.set(candidate.row.path, before + 1);
    const explanation = explain(candidate, values, model, own, -weights.sameFile * before);
    out.push({ candidate, score: bestScore, explanation });
  }
  return out;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** For each candidate, how much the better half of the other candidates of its file adds, at most about 2. */
function fileSupport(candidates: readonly Candidate[], scores: readonly number[]): number[] {
  const mean = scores.reduce((a, b) => a + b, 0) / Math.max(1, scores.length);
  const sums = new Map<string, number>();
  const gain = (score: number): number => Math.max(0, score - mean);
  candidates.forEach(({ row }, i) => sums.set(row.path, (sums.get(row.path) ?? 0) + gain(scores[i]!)));
  return candidates.map(({ row }, i) => Math.log1p(Math.max(0, sums.get(row.path)! - gain(scores[i]!))));
}

function order({ row: a }: Candidate, { row: b }: Candidate): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : a.startLine - b.startLine;
}

const SEMANTIC: ReadonlySet<Feature> = new Set(["static", "full", "semanticTop"]);
const LEXICAL: ReadonlySet<Feature> = new Set(["lexical", "lexicalTop"]);

function explain(
  { cosines, lexical: bm25 }: Candidate,
  values: Float64Array,
  model: Float64Array,
  support: number,
  sameFile: number,
): Explanation {
  let [semantic, lexical] = [0, 0];
  const features: Partial<Record<Feature | "fileSupport" | "sameFile", number>> = {};
  FEATURES.forEach((name, f) => {
    const part = values[f]! * model[f]!;
    if (SEMANTIC.has(name)) semantic += part;
    else if (LEXICAL.has(name)) lexical += part;
    else if (part !== 0) features[name] = part;
  });
  if (support !== 0) features.fileSupport = support;
  if (sameFile !== 0) features.sameFile = sameFile;
  const own = Object.fromEntries(FEATURES.map((name, f) => [name, values[f]!])) as Record<Feature, number>;
  return { cosines, bm25, semantic, lexical, features, values: own };
}
