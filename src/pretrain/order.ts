import type { Rng } from "../base/index.js";

/** The order in which an epoch visits `count` items: a permutation that depends on nothing but the key and the epoch. */
export function epochOrder(rng: Rng, epoch: number, count: number): Uint32Array {
  return rng.split("order", epoch).permutation(count);
}

/**
 * Remembers the last two answers: orders and plans are asked for again and again within an epoch, and where batches are
 * prepared ahead, those of the next epoch as well.
 */
export class Latest<T> {
  private readonly values = new Map<number, T>();

  constructor(private readonly make: (key: number) => T) {}

  get(key: number): T {
    const known = this.values.get(key);
    if (known !== undefined) return known;
    const value = this.make(key);
    for (const oldest of this.values.keys()) if (this.values.size > 1) this.values.delete(oldest);
    this.values.set(key, value);
    return value;
  }
}
