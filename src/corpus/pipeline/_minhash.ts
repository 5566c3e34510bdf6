import { hashSequence, mix32 } from "./_hash.js";

/** Hash functions in a signature, rows in a band and bands. At Jaccard 0.85 a pair shares a band with probability 0.994. */
export const PERMUTATIONS = 128;
export const BANDS = 16;
const ROWS = PERMUTATIONS / BANDS;
/** Tokens in a shingle. */
export const SHINGLE = 5;

const MULTIPLIERS = Uint32Array.from({ length: PERMUTATIONS }, (_, i) => mix32(i + 0x1234567) | 1);
const OFFSETS = Uint32Array.from({ length: PERMUTATIONS }, (_, i) => mix32(i + 0x7654321));

/** What is kept of a text's shingles. */
export interface Signature {
  /** 64-bit hash of each band's rows, as `BANDS` pairs of halves. */
  readonly bands: Uint32Array;
  /** The lowest byte of each minimum: enough to estimate the similarity of candidates. */
  readonly bytes: Uint8Array;
}

/** Hashes of all runs of {@link SHINGLE} tokens. */
export function shingles(tokens: Uint32Array): Uint32Array {
  const count = Math.max(0, tokens.length - SHINGLE + 1);
  const found = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    let h = 0;
    for (let j = 0; j < SHINGLE; j++) h = Math.imul(((h << 7) | (h >>> 25)) ^ tokens[i + j]!, 0x9e3779b1);
    found[i] = mix32(h);
  }
  return found;
}

/** MinHash (Broder 1997): the minimum of each hash function over the shingles. Undefined where there is no shingle. */
export function signatureOf(tokens: Uint32Array): Signature | undefined {
  const set = shingles(tokens);
  if (set.length === 0) return undefined;
  const minima = new Uint32Array(PERMUTATIONS);
  // Four at a time: the loop waits for memory and multiplications, not for their number.
  for (let p = 0; p < PERMUTATIONS; p += 4) {
    const [a0, a1, a2, a3] = [MULTIPLIERS[p]!, MULTIPLIERS[p + 1]!, MULTIPLIERS[p + 2]!, MULTIPLIERS[p + 3]!];
    const [b0, b1, b2, b3] = [OFFSETS[p]!, OFFSETS[p + 1]!, OFFSETS[p + 2]!, OFFSETS[p + 3]!];
    let [m0, m1, m2, m3] = [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff];
    for (let i = 0; i < set.length; i++) {
      const x = set[i]!;
      const h0 = (Math.imul(a0, x ^ b0) + b0) >>> 0;
      const h1 = (Math.imul(a1, x ^ b1) + b1) >>> 0;
      const h2 = (Math.imul(a2, x ^ b2) + b2) >>> 0;
      const h3 = (Math.imul(a3, x ^ b3) + b3) >>> 0;
      if (h0 < m0) m0 = h0;
      if (h1 < m1) m1 = h1;
      if (h2 < m2) m2 = h2;
      if (h3 < m3) m3 = h3;
    }
    minima[p] = m0;
    minima[p + 1] = m1;
    minima[p + 2] = m2;
    minima[p + 3] = m3;
  }
  const bands = new Uint32Array(2 * BANDS);
  for (let band = 0; band < BANDS; band++) {
    const { hi, lo } = hashSequence(minima, band * ROWS, (band + 1) * ROWS);
    bands[2 * band] = hi;
    bands[2 * band + 1] = lo | 1; // 0, 0 stands for no signature.
  }
  // The lowest bits of a product are weak: mixed before they are cut off.
  return { bands, bytes: Uint8Array.from(minima, (least) => mix32(least) & 0xff) };
}

/**
 * Jaccard similarity estimated from two rows of {@link PERMUTATIONS} bytes. Different minima share a byte once in 256
 * times (b-bit minwise hashing, Li and König 2010), which is taken off.
 */
export function similarity(a: Uint8Array, b: Uint8Array, atA = 0, atB = 0): number {
  let equal = 0;
  for (let i = 0; i < PERMUTATIONS; i++) if (a[atA + i] === b[atB + i]) equal += 1;
  return Math.max(0, (equal / PERMUTATIONS - 1 / 256) / (1 - 1 / 256));
}
