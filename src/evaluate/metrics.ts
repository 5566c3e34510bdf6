/**
 * Ranking metrics of one query, each from the 1-based ranks of its relevant documents, sorted ascending (at least one).
 *
 * @example
 * const ranks = [2, 5]; // two relevant documents, found at places 2 and 5
 * reciprocalRank(ranks); // 1/2
 * averagePrecision(ranks); // (1/2 + 2/5) / 2 = 0.45
 * ndcgAt(ranks, 10); // (1/log2(3) + 1/log2(6)) / (1/log2(2) + 1/log2(3))
 * recallAt(ranks, 4); // 1/2
 */
export type Ranks = ArrayLike<number>;

/** 1 / rank of the first relevant document; 0 where that lies past `cutoff`. */
export function reciprocalRank(ranks: Ranks, cutoff = Infinity): number {
  return ranks[0]! <= cutoff ? 1 / ranks[0]! : 0;
}

/** Mean over the relevant documents of the precision at their ranks. */
export function averagePrecision(ranks: Ranks): number {
  let sum = 0;
  for (let i = 0; i < ranks.length; i++) sum += (i + 1) / ranks[i]!;
  return sum / ranks.length;
}

/** Normalised discounted cumulative gain with binary relevance, gain 1 / log2(1 + rank). */
export function ndcgAt(ranks: Ranks, k: number): number {
  let gain = 0;
  let best = 0;
  for (let i = 0; i < ranks.length; i++) {
    if (ranks[i]! <= k) gain += 1 / Math.log2(ranks[i]! + 1);
    if (i < k) best += 1 / Math.log2(i + 2);
  }
  return gain / best;
}

/** The share of the relevant documents within the first k. */
export function recallAt(ranks: Ranks, k: number): number {
  let found = 0;
  for (let i = 0; i < ranks.length; i++) if (ranks[i]! <= k) found += 1;
  return found / ranks.length;
}

/** What a report says of one query, or as means over many. `R@10` is recall. */
export interface RankingMetrics {
  readonly MRR: number;
  readonly "MRR@10": number;
  readonly "NDCG@10": number;
  readonly "R@10": number;
  readonly "hit@1": number;
  readonly MAP: number;
}
export const RANKING_METRICS = ["MRR", "MRR@10", "NDCG@10", "R@10", "hit@1", "MAP"] as const;

/** All of them for one query; `MRR` and `MAP` are here its reciprocal rank and average precision. */
export function rankingMetrics(ranks: Ranks): RankingMetrics {
  return {
    MRR: reciprocalRank(ranks),
    "MRR@10": reciprocalRank(ranks, 10),
    "NDCG@10": ndcgAt(ranks, 10),
    "R@10": recallAt(ranks, 10),
    "hit@1": reciprocalRank(ranks, 1),
    MAP: averagePrecision(ranks),
  };
}

/**
 * 1-based ranks of the relevant documents under scores [docs], sorted: one more than the documents that score higher, or
 * equally and come earlier in `tieOrder` (a permutation: the place of each document among equals). A document that is no
 * candidate has the score -Infinity.
 */
export function ranksOf(
  scores: ArrayLike<number>,
  relevant: ArrayLike<number>,
  tieOrder: ArrayLike<number>,
): Int32Array {
  const ranks = new Int32Array(relevant.length);
  for (let k = 0; k < relevant.length; k++) {
    const own = scores[relevant[k]!]!;
    const place = tieOrder[relevant[k]!]!;
    let above = 0;
    for (let i = 0; i < scores.length; i++) {
      const other = scores[i]!;
      if (other > own || (other === own && tieOrder[i]! < place)) above += 1;
    }
    ranks[k] = above + 1;
  }
  return ranks.sort();
}

type Label = string | number;

/** The share of equal labels. Both of the same length, at least 1. */
export function accuracy(expected: readonly Label[], predicted: readonly Label[]): number {
  return expected.filter((label, i) => label === predicted[i]).length / expected.length;
}

/**
 * The mean over classes of F1 = 2 TP / (2 TP + FP + FN), over every class that was expected or predicted.
 *
 * @example
 * macroF1(["a", "a", "b"], ["a", "b", "b"]); // a: 2/3, b: 2/3
 */
export function macroF1(expected: readonly Label[], predicted: readonly Label[]): number {
  const counts = new Map<Label, { hit: number; expected: number; predicted: number }>();
  const of = (label: Label) => {
    const entry = counts.get(label) ?? { hit: 0, expected: 0, predicted: 0 };
    counts.set(label, entry);
    return entry;
  };
  expected.forEach((label, i) => {
    of(label).expected += 1;
    of(predicted[i]!).predicted += 1;
    if (label === predicted[i]) of(label).hit += 1;
  });
  let sum = 0;
  for (const each of counts.values()) sum += (2 * each.hit) / (each.expected + each.predicted);
  return sum / counts.size;
}
