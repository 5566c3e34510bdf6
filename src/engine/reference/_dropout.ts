/**
 * The dropout mask's definition, in 32-bit integers (`src/graph/onnx` computes the same inside ONNX). Rows and columns
 * are hashed; an element is kept where the wrapping product of the two odd hashes is at least the threshold.
 */

/** A 32-bit integer hash: xorshift and multiply. */
export function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad) >>> 0;
  x = Math.imul(x ^ (x >>> 15), 0x7feb352d) >>> 0;
  return (x ^ (x >>> 15)) >>> 0;
}

/** The part of the hash that is equal for all masks under one key. */
export function maskSeed(key0: number, key1: number): number {
  return mix(mix(key0) + key1);
}

/** A row is one index of all axes but the last; the first index is the row's global id. */
export function rowHash(seed: number, place: number, index: readonly number[]): number {
  return mix(index.reduce((hash, at) => mix(hash + at), seed) + mix(place)) | 1;
}

export function columnHash(seed: number, column: number): number {
  return mix(mix(seed + 0x9e3779b9) + column) | 1;
}

/** True where an element is kept. */
export function kept(row: number, column: number, rate: number): boolean {
  return Math.imul(row, column) >= Math.round(rate * 2 ** 32) - 2 ** 31;
}
