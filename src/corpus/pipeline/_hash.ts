/** Finalisation of MurmurHash3: every bit of the input moves every bit of the result. */
export function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A 64-bit hash in two unsigned halves. */
export interface Hash64 {
  readonly hi: number;
  readonly lo: number;
}

/** Hash of a sequence of 32-bit values, from `start` to `end`. */
export function hashSequence(values: Uint32Array, start = 0, end = values.length): Hash64 {
  let hi = 0x9e3779b9;
  let lo = 0x7f4a7c15;
  for (let i = start; i < end; i++) {
    const value = values[i]!;
    hi = Math.imul(hi ^ value, 0x01000193) + 0x6b43a9b5;
    hi ^= hi >>> 15;
    lo = Math.imul(lo + value, 0x2c1b3c6d);
    lo = ((lo << 13) | (lo >>> 19)) ^ hi;
  }
  return { hi: mix32(hi ^ (end - start)), lo: mix32(lo ^ hi) };
}

/** Hash of a text's UTF-16 code units. Never 0, 0, which stands for nothing. */
export function hashText(text: string): Hash64 {
  let hi = 0x811c9dc5;
  let lo = 0x1b873593;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    hi = Math.imul(hi ^ code, 0x01000193);
    lo = Math.imul(lo ^ code, 0x5bd1e995);
    lo ^= lo >>> 15;
  }
  const h = { hi: mix32(hi ^ text.length), lo: mix32(lo ^ hi) };
  return h.hi === 0 && h.lo === 0 ? { hi: 0, lo: 1 } : h;
}

/** A number in [0, 1) drawn by hash: the same on every machine and in every order. */
export function drawOf(text: string): number {
  return hashText(text).hi / 2 ** 32;
}

/** Two halves as one exact number below 2^53: 21 bits of `hi`, all of `lo`. For keys of sets of up to some millions. */
export function keyOf({ hi, lo }: Hash64): number {
  return (hi & 0x1fffff) * 2 ** 32 + lo;
}
