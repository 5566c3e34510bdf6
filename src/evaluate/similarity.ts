export { dotProducts } from "../base/index.js";

/**
 * Row-major matrices of embeddings, [rows, width].
 *
 * Scales every row to length 1 (a zero row stays zero), into a new array.
 */
export function normaliseRows(matrix: Float32Array, width: number): Float32Array {
  const out = new Float32Array(matrix.length);
  for (let start = 0; start < matrix.length; start += width) {
    let square = 0;
    for (let i = start; i < start + width; i++) square += matrix[i]! ** 2;
    const scale = 1 / Math.max(Math.sqrt(square), 1e-12);
    for (let i = start; i < start + width; i++) out[i] = matrix[i]! * scale;
  }
  return out;
}
