import type { VectorRecords } from "./_records.js";
import { scoresInPool } from "./_scores.js";

/**
 * The rank of each summary's own code among the codes of a pool: 1 and the number of codes that are more similar, where
 * those of pairs with the same summary or the same code do not count: they are right as well.
 */
export async function ranksInPool(pool: VectorRecords, dim: number, signal?: AbortSignal): Promise<Uint32Array> {
  const { summaryKeys, codeKeys } = pool;
  const count = summaryKeys.length;
  const ranks = new Uint32Array(count);
  for await (const { row, scores } of scoresInPool(pool, dim, signal)) {
    const own = scores[row]!;
    let rank = 1;
    for (let other = 0; other < count; other++) {
      if (scores[other]! <= own) continue;
      if (summaryKeys[other] !== summaryKeys[row] && codeKeys[other] !== codeKeys[row]) rank += 1;
    }
    ranks[row] = rank;
  }
  return ranks;
}
