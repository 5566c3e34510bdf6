/** A share of kept samples with its uncertainty. */
export interface Precision {
  readonly marked: number;
  readonly kept: number;
  /** `kept / marked`. */
  readonly precision: number;
  /** Wilson's score interval at 95%. */
  readonly low: number;
  readonly high: number;
}

/**
 * Precision of a sample with the score interval of Wilson (1927): unlike the normal one it stays inside 0 .. 1 and tells
 * something where all or none were kept.
 *
 * @example
 * precisionOf(95, 100); // { marked: 100, kept: 95, precision: 0.95, low: 0.888, high: 0.978 } (rounded)
 *
 * @param z standard deviations; 1.96 is 95%
 */
export function precisionOf(kept: number, marked: number, z = 1.959964): Precision {
  if (marked === 0) return { marked, kept, precision: 0, low: 0, high: 1 };
  const share = kept / marked;
  const square = (z * z) / marked;
  const centre = (share + square / 2) / (1 + square);
  const half = (z * Math.sqrt((share * (1 - share)) / marked + square / (4 * marked))) / (1 + square);
  return { marked, kept, precision: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
