import type { Rng } from "../../base/index.js";

/** Deals numbers at random into pools of equal size, to within one, of about `size`. */
export function dealPools(numbers: Uint32Array, size: number, rng: Rng): Uint32Array[] {
  const order = rng.permutation(numbers.length);
  const pools = Math.max(1, Math.round(numbers.length / size));
  const bound = (pool: number): number => Math.floor((pool * numbers.length) / pools);
  return Array.from({ length: pools }, (_, pool) =>
    order.subarray(bound(pool), bound(pool + 1)).map((at) => numbers[at]!),
  );
}
