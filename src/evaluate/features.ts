import { UserError } from "../base/index.js";

/** Rows of numbers, one per text: [rows, width]. */
export interface Features {
  readonly data: Float32Array;
  readonly width: number;
}

/** Number of rows. */
export function rowsOf({ data, width }: Features): number {
  return data.length / width;
}

/** Checks that there is one row a text. @throws UserError `evaluate.shape`, `evaluate.not-finite` */
export function features(data: Float32Array, rows: number, what: string): Features {
  const width = data.length / rows;
  if (!Number.isInteger(width) || width === 0) {
    throw new UserError("evaluate.shape", `${what}: expected ${rows} rows of one width, got ${data.length} numbers`);
  }
  requireFinite(data, width, what);
  return { data, width };
}

/**
 * NaN compares with nothing, so that a broken encoder's rows would all stand at rank 1.
 *
 * @throws UserError `evaluate.not-finite`
 */
export function requireFinite(data: Float32Array, width: number, what: string): void {
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at === -1) return;
  throw new UserError(
    "evaluate.not-finite",
    `${what}: expected finite vectors, got ${data[at]} in row ${Math.floor(at / width)}`,
    { fix: "Use an encoder whose training did not diverge" },
  );
}

/**
 * Learns from `train` to shift and scale every column to mean 0 and variance 1 (of the population); a constant column is
 * only shifted. The same as scikit-learn's StandardScaler.
 */
export function standardiser(train: Features): (input: Features) => Features {
  const { data, width } = train;
  const n = rowsOf(train);
  const mean = new Float64Array(width);
  const scale = new Float64Array(width);
  for (let i = 0; i < data.length; i++) mean[i % width]! += data[i]! / n;
  for (let i = 0; i < data.length; i++) scale[i % width]! += (data[i]! - mean[i % width]!) ** 2 / n;
  for (let j = 0; j < width; j++) {
    const noise = n * Number.EPSILON * scale[j]! + (n * mean[j]! * Number.EPSILON) ** 2;
    scale[j] = scale[j]! <= noise ? 1 : Math.sqrt(scale[j]!);
  }
  return (input) => ({ data: input.data.map((v, i) => (v - mean[i % width]!) / scale[i % width]!), width });
}
