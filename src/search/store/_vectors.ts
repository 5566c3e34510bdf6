import { memoryOf, simdOver, type Simd, type SimdMemory } from "../../encoder/index.js";

/**
 * Unit vectors as int8 with one scale each, side by side, for exact search: every row is compared, 16 numbers at a time.
 * Rounding moves a cosine by less than 0.01.
 */
export class VectorTable {
  readonly padded: number;
  private readonly memory: SimdMemory;
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
    this.outAt = this.queryAt + this.padded;
    this.memory = memoryOf(this.outAt + 4 * rows);
    this.simd = simdOver(this.memory);
  }

  /** [rows, padded] */
  get codes(): Int8Array {
    return new Int8Array(this.memory.buffer, 0, this.rows * this.padded);
  }

  /** [rows]; 0 for a row without a vector. */
  get scales(): Float32Array {
    return new Float32Array(this.memory.buffer, this.scalesAt, this.rows);
  }

  set(row: number, vector: Float32Array): void {
    this.scales[row] = quantise(vector, this.codes.subarray(row * this.padded, (row + 1) * this.padded));
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
    const scale = quantise(query, new Int8Array(this.memory.buffer, this.queryAt, this.padded));
    this.simd.dots(0, this.scalesAt, this.rows, this.padded, this.queryAt, this.outAt);
    const out = new Float32Array(this.memory.buffer, this.outAt, this.rows);
    for (let i = 0; i < out.length; i++) out[i]! *= scale;
    return out;
  }
}

/** Writes `vector / scale` rounded to -127 .. 127 and returns the scale. */
function quantise(vector: Float32Array, out: Int8Array): number {
  let largest = 0;
  for (let i = 0; i < vector.length; i++) largest = Math.max(largest, Math.abs(vector[i]!));
  const scale = largest / 127;
  out.fill(0);
  if (scale > 0) for (let i = 0; i < vector.length; i++) out[i] = Math.round(vector[i]! / scale);
  return scale;
}
