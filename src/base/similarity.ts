/**
 * Dot products of rows `from` .. `to` of `a` [*, width] with all rows of `b` [n, width], into `out` [to - from, n].
 *
 * Two rows of `a` meet four of `b` at a time, so that each number loaded is used more than once; sums are float64.
 */
export function dotProducts(
  a: Float32Array,
  b: Float32Array,
  width: number,
  from: number,
  to: number,
  out: Float32Array,
): void {
  const n = b.length / width;
  const full = n - (n % 4);
  for (let row = from; row < to; row += 2) {
    const paired = row + 1 < to;
    const a0 = row * width;
    const a1 = paired ? a0 + width : a0;
    const out0 = (row - from) * n;
    const out1 = paired ? out0 + n : out0; // Without a partner the row is computed twice, to the same place.
    for (let j = 0; j < full; j += 4) {
      const b0 = j * width;
      const [b1, b2, b3] = [b0 + width, b0 + 2 * width, b0 + 3 * width];
      let [s00, s01, s02, s03, s10, s11, s12, s13] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (let k = 0; k < width; k++) {
        const [x, y] = [a[a0 + k]!, a[a1 + k]!];
        const [p, q, r, s] = [b[b0 + k]!, b[b1 + k]!, b[b2 + k]!, b[b3 + k]!];
        s00 += x * p;
        s01 += x * q;
        s02 += x * r;
        s03 += x * s;
        s10 += y * p;
        s11 += y * q;
        s12 += y * r;
        s13 += y * s;
      }
      out[out0 + j] = s00;
      out[out0 + j + 1] = s01;
      out[out0 + j + 2] = s02;
      out[out0 + j + 3] = s03;
      out[out1 + j] = s10;
      out[out1 + j + 1] = s11;
      out[out1 + j + 2] = s12;
      out[out1 + j + 3] = s13;
    }
    for (let j = full; j < n; j++) {
      let [s0, s1] = [0, 0];
      for (let k = 0; k < width; k++) {
        const value = b[j * width + k]!;
        s0 += a[a0 + k]! * value;
        s1 += a[a1 + k]! * value;
      }
      out[out0 + j] = s0;
      out[out1 + j] = s1;
    }
  }
}
