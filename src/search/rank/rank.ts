import { WEIGHTS, type Weights } from "../_weights.js";
import type { Query } from "../text/query.js";
import type { Candidate, Tier } from "../store/store.js";
import { FEATURES, featuresOf, type Feature, type ChunkReader } from "./features.js";

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
  readonly reader: ChunkReader;
  readonly weights?: Weights;
}

/** Where a candidate is. */
export interface Placed {
  readonly path: string;
  readonly startLine: number;
}

/** A candidate as the order needs it. */
export interface Weighable extends Placed {
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
  const { limit, reader, weights = WEIGHTS } = options;
  const features = featuresOf(query, candidates, reader);
  const model = modelOf(weights, query.shape);
  const scores = new Float64Array(candidates.length);
  for (let i = 0; i < scores.length; i++) scores[i] = dot(features, model, i * model.length);
  const rows = candidates.map(({ row }) => row);
  return orderByScores(rows, scores, weights, limit).map(({ index, score, support, sameFile }) => {
    const candidate = candidates[index]!;
    const values = features.subarray(index * model.length, (index + 1) * model.length);
    return { candidate, score, explain: () => explain(candidate, values, model, support, sameFile) };
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
  const scores = Float64Array.from(items, ({ values }) => dot(values, model, 0));
  return orderByScores(items, scores, weights, limit);
}

/** The part of {@link orderByWeights} that comes after the linear model. */
function orderByScores(items: readonly Placed[], scores: Float64Array, weights: Weights, limit: number): Ordered[] {
  const support = fileSupport(items, scores);
  const supported = scores.map((score, i) => score + weights.fileSupport * support[i]!);
  const left = topOf(items, supported, Math.max(4 * limit, 40)).map((index) => ({
    item: items[index]!,
    index,
    support: weights.fileSupport * support[index]!,
    score: supported[index]!,
  }));
  const out: Ordered[] = [];
  const taken = new Map<string, number>();
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

/** Places of the `count` greatest scores, in order: only those are sorted by path and line too. */
function topOf(items: readonly Placed[], scores: Float64Array, count: number): number[] {
  const least = count < scores.length ? scores.slice().sort()[scores.length - count]! : -Infinity;
  const top: number[] = [];
  for (let i = 0; i < scores.length; i++) if (scores[i]! >= least) top.push(i);
  return top.sort((a, b) => scores[b]! - scores[a]! || order(items[a]!, items[b]!)).slice(0, count);
}

/** Of a row that begins at `from` with a model. */
function dot(rows: Float64Array, model: Float64Array, from: number): number {
  let sum = 0;
  for (let i = 0; i < model.length; i++) sum += rows[from + i]! * model[i]!;
  return sum;
}

/** For each candidate, how much the better half of the other candidates of its file adds, at most about 2. */
function fileSupport(items: readonly Placed[], scores: Float64Array): Float64Array {
  let total = 0;
  for (const score of scores) total += score;
  const mean = total / Math.max(1, scores.length);
  const sums = new Map<string, number>();
  const gains = scores.map((score) => Math.max(0, score - mean));
  items.forEach(({ path }, i) => sums.set(path, (sums.get(path) ?? 0) + gains[i]!));
  return gains.map((gain, i) => Math.log1p(Math.max(0, sums.get(items[i]!.path)! - gain)));
}

function order(a: Placed, b: Placed): number {
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
