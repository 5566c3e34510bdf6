import type { VectorRecords } from "./_records.js";
import { scoresInPool } from "./_scores.js";

/** @see hardInPool */
export interface HardOptions {
  /** Negatives of each pair, at most. */
  readonly perPair: number;
  /** A negative is less similar than this share of what the own code is. */
  readonly margin: number;
  /** Whether a function of the same name may be a negative. */
  readonly sameName: boolean;
}

/** A negative of a pair: its place in the pool. */
export interface Hard {
  readonly at: number;
  readonly score: number;
}

/**
 * The hard negatives of each pair of a pool: the codes most similar to its summary that are clearly less so than its own.
 * Codes of pairs with the same summary or the same code are never among them, nor, unless asked for, of the same name.
 *
 * The bound is that of NV-Retriever (Moreira et al. 2024, "TopK-PercPos"): score < margin * own score. Where the own score
 * is not positive, which that rule does not foresee, as far below it: own - (1 - margin) * |own|.
 *
 * @returns for each pair the hardest first
 */
export async function hardInPool(
  pool: VectorRecords,
  dim: number,
  { perPair, margin, sameName }: HardOptions,
  signal?: AbortSignal,
): Promise<Hard[][]> {
  const { summaryKeys, codeKeys, nameKeys } = pool;
  const found: Hard[][] = [];
  for await (const { row, scores } of scoresInPool(pool, dim, signal)) {
    const own = scores[row]!;
    const limit = own - (1 - margin) * Math.abs(own);
    const best: Hard[] = [];
    for (let at = 0; at < scores.length; at++) {
      const score = scores[at]!;
      if (score >= limit || (best.length === perPair && score <= best[perPair - 1]!.score) || at === row) continue;
      if (summaryKeys[at] === summaryKeys[row] || codeKeys[at] === codeKeys[row]) continue;
      if (!sameName && nameKeys[at] === nameKeys[row]) continue;
      if (best.some((other) => codeKeys[other.at] === codeKeys[at])) continue;
      let place = best.length;
      while (place > 0 && best[place - 1]!.score < score) place -= 1;
      best.splice(place, 0, { at, score });
      if (best.length > perPair) best.pop();
    }
    found.push(best);
  }
  return found;
}
