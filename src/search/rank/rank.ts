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
  /** Made when it is asked for. */
  readonly explain: () => Explanation;
}

/** Options of {@link rank}. */
export interface RankOptions {
  readonly limit: number;
  readonly paths: PathReader;
  readonly weights?: Weights;
}

/** A candidate as the order needs it. */
export interface Weighable {
  readonly path: string;
  readonly startLine: number;
  /** In the order of `FEATURES`. */
  readonly values: Float64Array;
}

/** A candidate's place in the order: its index, and what makes its score. */
export interface Ordered {
  readonly index: number;
  readonly score: number;
  readonly support: number;
  readonly sameFile: number;
}

/** Orders candidates; see {@link orderByWeights}. */
export function rank(query: Query, candidates: readonly Candidate[], options: RankOptions): Ranked[] {
  const { limit, paths, weights = WEIGHTS } = options;
  const features = featuresOf(query, candidates, paths);
  const items = candidates.map(({ row: { path, startLine } }, i) => ({ path, startLine, values: features[i]! }));
  const model = modelOf(weights, query.shape);
  return orderByWeights(items, weights, query.shape, limit).map(({ index, score, support, sameFile }) => {
    const candidate = candidates[index]!;
    return { candidate, score, explain: () => explain(candidate, features[index]!, model, support, sameFile) };
  });
}

function modelOf(weights: Weights, shape: Query["shape"]): Float64Array {
  return Float64Array.from(FEATURES, (name) => weights[shape][name] ?? 0);
}

/**
 * A linear model over standardised scores and features, then what a file's other chunks say for it, and a decay for each
 * further hit of the same file, so that ten hits are not one file. Equal scores go by path and line.
 */
export function orderByWeights(
  items: readonly Weighable[],
  weights: Weights,
  shape: Query["shape"],
  limit: number,
): Ordered[] {
  const model = modelOf(weights, shape);
  const scores = items.map(({ values }) => dot(values, model));
  const support = fileSupport(items, scores);
  const pool = items.map((item, index) => {
    const own = weights.fileSupport * support[index]!;
    return { item, index, support: own, score: scores[index]! + own };
  });
  pool.sort((a, b) => b.score - a.score || order(a.item, b.item));
  const out: Ordered[] = [];
  const taken = new Map<string, number>();
  const left = pool.slice(0, Math.max(4 * limit, 40));
  while (out.length < limit && left.length > 0) {
    let bestAt = 0;
    let bestScore = -Infinity;
    for (let i = 0; i < left.length && left[i]!.score > bestScore; i++) {
      const { item, score } = left[i]!;
      const now = score - weights.sameFile * (taken.get(item.path) ?? 0);
      if (now > bestScore) [bestAt, bestScore] = [i, now];
    }
    const [{ item, index, support: own }] = left.splice(bestAt, 1) as [(typeof left)[number]];
    const before = taken.get(item.path) ?? 0;
    taken.set(item.path, before + 1);
    out.push({ index, score: bestScore, support: own, sameFile: -weights.sameFile * before });
  }
  return out;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** For each candidate, how much the better half of the other candidates of its file adds, at most about 2. */
function fileSupport(items: readonly Weighable[], scores: readonly number[]): number[] {
  const mean = scores.reduce((a, b) => a + b, 0) / Math.max(1, scores.length);
  const sums = new Map<string, number>();
  const gain = (score: number): number => Math.max(0, score - mean);
  items.forEach(({ path }, i) => sums.set(path, (sums.get(path) ?? 0) + gain(scores[i]!)));
  return items.map(({ path }, i) => Math.log1p(Math.max(0, sums.get(path)! - gain(scores[i]!))));
}

function order(a: Weighable, b: Weighable): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : a.startLine - b.startLine;
}

const SEMANTIC: ReadonlySet<Feature> = new Set(["static", "full", "semanticTop", "semanticPlace"]);
const LEXICAL: ReadonlySet<Feature> = new Set(["lexical", "lexicalTop", "lexicalPlace"]);

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
