import type { Rng } from "../base/index.js";

/** The order in which an epoch visits `count` items: a permutation that depends on nothing but the key and the epoch. */
export function epochOrder(rng: Rng, epoch: number, count: number): Uint32Array {
  return rng.split("order", epoch).permutation(count);
}

/** Remembers the last answer: orders and plans are asked for again and again within an epoch. */
export class Latest<T> {
  private key: number | undefined;
  private value: T | undefined;

  constructor(private readonly make: (key: number) => T) {}

  get(key: number): T {
    if (this.key !== key) {
      this.value = this.make(key);
      this.key = key;
    }
    return this.value as T;
  }
}
