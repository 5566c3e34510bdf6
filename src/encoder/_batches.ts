/** Rows of a window that go through the model together. */
export interface Batch {
  /** Places in the window. */
  readonly rows: readonly number[];
  /** The longest row's tokens: what all are padded to. */
  readonly length: number;
}

/**
 * Groups sequences of like length, longest first, so that little is spent on padding and the largest memory is asked for
 * first. A batch holds at most `batchTokens` tokens, padding included, but always one row.
 *
 * @example planBatches([2, 9, 3], 9) // [{rows: [1], length: 9}, {rows: [2, 0], length: 3}]
 */
export function planBatches(lengths: readonly number[], batchTokens: number): Batch[] {
  const order = lengths.map((_, row) => row).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const batches: Batch[] = [];
  for (let at = 0; at < order.length;) {
    const length = lengths[order[at]!]!;
    const rows = order.slice(at, at + Math.max(1, Math.floor(batchTokens / length)));
    batches.push({ rows, length });
    at += rows.length;
  }
  return batches;
}
