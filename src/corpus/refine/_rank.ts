import { setImmediate } from "node:timers/promises";
import { dotProducts } from "../../base/index.js";
import type { VectorRecords } from "./_records.js";

/** Summaries that are scored at a time. */
const BLOCK = 64;

/**
 * The rank of each summary's own code among the codes of a pool: 1 and the number of codes that are more similar, where
 * those of pairs with the same summary or the same code do not count: they are right as well.
 */
export async function ranksInPool(pool: VectorRecords, dim: number, signal?: AbortSignal): Promise<Uint32Array> {
  const { summaryKeys, codeKeys, texts, codes } = pool;
  const count = summaryKeys.length;
  const ranks = new Uint32Array(count);
  const scores = new Float32Array(BLOCK * count);
  for (let from = 0; from < count; from += BLOCK) {
    signal?.throwIfAborted();
    const to = Math.min(count, from + BLOCK);
    dotProducts(texts, codes, dim, from, to, scores);
    for (let row = from; row < to; row++) {
      const base = (row - from) * count;
      const own = scores[base + row]!;
      let rank = 1;
      for (let other = 0; other < count; other++) {
        if (scores[base + other]! <= own) continue;
        if (summaryKeys[other] !== summaryKeys[row] && codeKeys[other] !== codeKeys[row]) rank += 1;
      }
      ranks[row] = rank;
    }
    await setImmediate(); // Ctrl-C and progress stay alive in a large pool.
  }
  return ranks;
}
