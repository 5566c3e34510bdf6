/** A longer array that begins as `from`: twice as long, or `atLeast` where that is more. What is new is 0. */
export function enlarged(from: Int32Array, atLeast?: number): Int32Array<ArrayBuffer>;
export function enlarged(from: Uint8Array, atLeast?: number): Uint8Array<ArrayBuffer>;
export function enlarged(from: Int32Array | Uint8Array, atLeast = 0): Int32Array | Uint8Array {
  const length = Math.max(2 * from.length, atLeast);
  const to = from instanceof Int32Array ? new Int32Array(length) : new Uint8Array(length);
  to.set(from);
  return to;
}
