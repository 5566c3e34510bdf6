/**
 * Rounds to four decimals as Python's `round(x, 4)` does: to the nearest decimal of the exact binary value, and to the
 * even one on an exact tie (0.03125 becomes 0.0312; `toFixed` would say 0.0313).
 */
export function round4(x: number): number {
  const scaled = x * 1e4;
  // Only multiples of 1/32 can lie exactly between two decimals, and for them `scaled` is exact.
  if (Number.isInteger(x * 32) && Math.abs(scaled % 1) === 0.5) {
    const low = Math.floor(scaled);
    return (low % 2 === 0 ? low : low + 1) / 1e4;
  }
  return Number(x.toFixed(4));
}
