import { zeros, type Tensor } from "../base/index.js";
import { VIEWS, type ViewName } from "./programs/index.js";

/** `[0, size)` in order, at most `step` at a time. */
export function spans(size: number, step: number): (readonly [start: number, end: number])[] {
  return Array.from({ length: Math.ceil(size / step) }, (_, index) => [
    index * step,
    Math.min(size, (index + 1) * step),
  ]);
}

/** Rows that are computed together, cut after `length` tokens: what comes after is padding in all of them. */
export interface ViewChunk {
  readonly rows: readonly number[];
  readonly length: number;
}

/** Widths of chunks are multiples of this, so that there are few different shapes. */
const LENGTH_MULTIPLE = 16;

/**
 * A side cut into chunks.
 *
 * @param segments int32 [pairs, T], 1 for real tokens, which come first
 * @param byLength whether rows of about the same length go together; else they keep their order and width
 */
export function chunksOf({ dims, data }: Tensor, chunk: number, byLength: boolean): ViewChunk[] {
  const [pairs, width] = dims as readonly [number, number];
  const segments = data as Int32Array;
  const order = Array.from({ length: pairs }, (_, row) => row);
  const lengths = order.map((row) => segments.subarray(row * width, (row + 1) * width).lastIndexOf(1) + 1);
  if (byLength) order.sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  return spans(pairs, chunk).map(([start, end]) => {
    const rows = order.slice(start, end);
    const longest = Math.max(1, ...rows.map((row) => lengths[row]!));
    return { rows, length: byLength ? Math.min(width, LENGTH_MULTIPLE * Math.ceil(longest / LENGTH_MULTIPLE)) : width };
  });
}

/** The inputs of a chunk's programs. */
export function viewChunk(
  batch: Readonly<Record<string, Tensor>>,
  view: ViewName,
  { rows, length }: ViewChunk,
): Record<string, Tensor> {
  const { side } = VIEWS[view];
  return {
    input_ids: pickRows(batch[`${side}_ids`]!, rows, length),
    input_segments: pickRows(batch[`${side}_segments`]!, rows, length),
    row_ids: pickRows(batch["row_ids"]!, rows),
    dropout_key: batch["dropout_key"]!,
  };
}

/** Rows [rows, width] of a matrix, or of a vector its elements; with `length` only so many of each row. */
export function pickRows({ dtype, dims, data }: Tensor, rows: readonly number[], length?: number): Tensor {
  const width = data.length / dims[0]!;
  const kept = length ?? width;
  const picked = zeros(dtype, [rows.length, ...(dims.length > 1 ? [kept] : [])]);
  const to = picked.data as Int32Array;
  rows.forEach((row, i) => to.set((data as Int32Array).subarray(row * width, row * width + kept), i * kept));
  return picked;
}

/** Writes the rows of `part` over the named ones of `whole`. */
export function putRows({ dims, data }: Tensor, rows: readonly number[], part: Tensor): void {
  const width = data.length / dims[0]!;
  const from = part.data as Float32Array;
  rows.forEach((row, i) => (data as Float32Array).set(from.subarray(i * width, (i + 1) * width), row * width));
}
