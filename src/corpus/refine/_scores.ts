import { setImmediate } from "node:timers/promises";
import { dotProducts } from "../../base/index.js";
import type { VectorRecords } from "./_records.js";

/** Summaries that are scored at a time. */
const BLOCK = 64;

/** For each pair of a pool in turn: its summary's dot products with the codes of all. `scores` is used again afterwards. */
export async function* scoresInPool(
  { summaryKeys: { length: count }, texts, codes }: VectorRecords,
  dim: number,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly row: number; readonly scores: Float32Array }> {
  const block = new Float32Array(BLOCK * count);
  for (let from = 0; from < count; from += BLOCK) {
    signal?.throwIfAborted();
    const to = Math.min(count, from + BLOCK);
    dotProducts(texts, codes, dim, from, to, block);
    for (let row = from; row < to; row++) {
      yield { row, scores: block.subarray((row - from) * count, (row - from + 1) * count) };
    }
    await setImmediate(); // Ctrl-C and progress stay alive in a large pool.
  }
}
