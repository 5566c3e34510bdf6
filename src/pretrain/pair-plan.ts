import type { Rng } from "../base/index.js";
import { epochOrder } from "./order.js";

/** What planning knows of pair `i`. */
export interface PlannedPairs {
  readonly count: number;
  /** Tokens of the longest code side that pair `i` may be given. */
  length(pair: number): number;
  /** Numbers of which two pairs of one batch must share none, e.g. hashes of summary, code and body. */
  keys(pair: number): readonly number[];
}

/** @see planEpoch */
export interface PlanOptions {
  /** Pairs of a batch. */
  readonly batch: number;
  /** Batches whose pairs are sorted by length together; 1 does not sort. */
  readonly pool: number;
}

/** The batches of one epoch, each of exactly `batch` pairs, and the pairs that found no place. */
export interface EpochPlan {
  readonly batches: readonly Uint32Array[];
  readonly left: number;
}

/**
 * Plans an epoch of stage 2: a pure function of the pairs, the key and the epoch.
 *
 * Pairs are taken in a random order, `pool` batches at a time; within such a pool they are sorted by length, so that a
 * batch pads little, and filled into batches. A pair that shares a key with one already in the batch waits for the next
 * batch: a duplicate would be a negative that is in truth a positive. What does not fill a batch goes on to the next
 * pool, and at the end of the epoch is left out. Batches are then shuffled.
 */
export function planEpoch(pairs: PlannedPairs, options: PlanOptions, rng: Rng, epoch: number): EpochPlan {
  const { batch: size, pool } = options;
  const order = epochOrder(rng, epoch, pairs.count);
  const batches: Uint32Array[] = [];
  let waiting: number[] = [];
  for (let start = 0; start < order.length; start += size * pool) {
    const taken = [...waiting, ...order.subarray(start, start + size * pool)];
    // Array sort is stable: pairs of one length stay in random order.
    if (pool > 1) taken.sort((a, b) => pairs.length(a) - pairs.length(b));
    waiting = fill(taken, pairs, size, batches);
  }
  rng.split("batches", epoch).shuffle(batches);
  return { batches, left: waiting.length };
}

/** Takes full batches from the front of `items`; returns what is left. */
function fill(items: readonly number[], pairs: PlannedPairs, size: number, batches: Uint32Array[]): number[] {
  let waiting: number[] = [];
  let at = 0;
  for (;;) {
    const batch: number[] = [];
    const seen = new Set<number>();
    const still: number[] = [];
    const offer = (pair: number): void => {
      const keys = pairs.keys(pair);
      if (batch.length === size || keys.some((key) => seen.has(key))) {
        still.push(pair);
        return;
      }
      batch.push(pair);
      for (const key of keys) seen.add(key);
    };
    waiting.forEach(offer);
    while (batch.length < size && at < items.length) offer(items[at++]!);
    if (batch.length < size) return [...batch, ...still];
    batches.push(Uint32Array.from(batch));
    waiting = still;
  }
}
