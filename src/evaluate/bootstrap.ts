import type { Rng } from "../base/index.js";

/** How two systems differ on the same queries. */
export interface PairedDifference {
  /** Mean of a - b. */
  readonly difference: number;
  /** The middle 95% of that mean over resamples of the queries. */
  readonly low: number;
  readonly high: number;
  /** Share of resamples in which the sign is not that of `difference` (counting zero), doubled: a two-sided p-value. */
  readonly p: number;
}

/**
 * Paired bootstrap (Koehn, "Statistical Significance Tests for Machine Translation Evaluation", 2004): draws as many
 * queries as there are, with replacement, and looks how the mean difference scatters.
 *
 * @param a, b scores of the same queries in the same order
 */
export function pairedBootstrap(
  a: readonly number[],
  b: readonly number[],
  { rng, samples = 10_000 }: { rng: Rng; samples?: number },
): PairedDifference {
  if (a.length !== b.length || a.length === 0) {
    throw new RangeError(`pairedBootstrap: expected two equally long lists, got ${a.length} and ${b.length}`);
  }
  const n = a.length;
  const differences = Float64Array.from(a, (score, i) => score - b[i]!);
  const difference = differences.reduce((sum, d) => sum + d, 0) / n;
  const means = new Float64Array(samples);
  for (let s = 0; s < samples; s++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += differences[rng.int(n)]!;
    means[s] = sum / n;
  }
  means.sort();
  const other = means.filter((mean) => (difference >= 0 ? mean <= 0 : mean >= 0)).length;
  return {
    difference,
    low: means[Math.floor(0.025 * (samples - 1))]!,
    high: means[Math.ceil(0.975 * (samples - 1))]!,
    p: Math.min(1, (2 * other) / samples),
  };
}
