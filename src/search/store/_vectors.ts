import { memoryOf, simdOver, type Simd } from "../../encoder/index.js";

/**
 * Unit vectors as int8 with one scale each, side by side, for exact search: every row is compared, 16 numbers at a time.
 * Rounding moves a cosine by less than 0.01.
 */
export class VectorTable {
  readonly padded: number;
  /** [rows, padded] */
  readonly codes: Int8Array<ArrayBuffer>;
  /** [rows]; 0 for a row without a vector. */
  readonly scales: Float32Array<ArrayBuffer>;
  private readonly query: Int16Array;
  private readonly out: Float32Array;
  private readonly simd: Simd;
  private readonly scalesAt: number;
  private readonly queryAt: number;
  private readonly outAt: number;

  constructor(
    readonly dim: number,
    readonly rows: number,
  ) {
    this.padded = Math.ceil(dim / 16) * 16;
    this.scalesAt = rows * this.padded;
    this.queryAt = Math.ceil((this.scalesAt + 4 * rows) / 16) * 16;
    this.outAt = this.queryAt + 2 * this.padded;
    const memory = memoryOf(this.outAt + 4 * rows); // It never grows, so that views of it stay valid.
    const buffer = memory.buffer as ArrayBuffer;
    this.codes = new Int8Array(buffer, 0, rows * this.padded);
    this.scales = new Float32Array(buffer, this.scalesAt, rows);
    this.query = new Int16Array(buffer, this.queryAt, this.padded);
    this.out = new Float32Array(buffer, this.outAt, rows);
    this.simd = simdOver(memory);
  }

  set(row: number, vector: Float32Array): void {
    this.scales[row] = quantise(vector, this.codes, row * this.padded, this.padded);
  }

  copy(row: number, from: VectorTable, source: number): void {
    const { padded } = this;
    this.codes.set(from.codes.subarray(source * padded, (source + 1) * padded), row * padded);
    this.scales[row] = from.scales[source]!;
  }

  has(row: number): boolean {
    return this.scales[row]! > 0;
  }

  /** Cosine similarity of every row to a unit vector [rows]; valid until the next call. */
  cosines(query: Float32Array): Float32Array {
    const { out } = this;
    const scale = quantise(query, this.query, 0, this.padded);
    this.simd.dots(0, this.scalesAt, this.rows, this.padded, this.queryAt, this.outAt);
    for (let i = 0; i < out.length; i++) out[i]! *= scale;
    return out;
  }
}

/** Writes `vector / scale` rounded to -127 .. 127, then zeros up to `padded`, and returns the scale. */
function quantise(vector: Float32Array, out: Int8Array | Int16Array, at: number, padded: number): number {
  let largest = 0;
  for (let i = 0; i < vector.length; i++) {
    const size = Math.abs(vector[i]!);
    if (size > largest) largest = size;
  }
  const scale = largest / 127;
  out.fill(0, at, at + padded);
  if (scale > 0) for (let i = 0; i < vector.length; i++) out[at + i] = Math.round(vector[i]! / scale);
  return scale;
}
