/**
 * `numpy.random.RandomState(seed).permutation(n)`, number for number: ties between equally scored documents are broken by
 * it, so that our ranks are those of any scorer that does the same in NumPy.
 *
 * The generator is MT19937 (Matsumoto and Nishimura, 1998) as NumPy's legacy interface seeds it (`init_genrand`); the
 * shuffle is Fisher-Yates from the end, each index drawn by masking 32 random bits and rejecting what is too large.
 *
 * @example
 * numpyPermutation(10, 0); // [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]
 */
export function numpyPermutation(n: number, seed: number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const next = mt19937(seed);
  for (let i = n - 1; i > 0; i--) {
    const mask = 2 ** (32 - Math.clz32(i)) - 1; // The least 2^k - 1 that is not below i.
    let j = (next() & mask) >>> 0;
    while (j > i) j = (next() & mask) >>> 0;
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
  return order;
}

const WORDS = 624;
const SHIFT = 397;

/** The Mersenne Twister: a function that returns the next 32 bits. */
export function mt19937(seed: number): () => number {
  const state = new Uint32Array(WORDS);
  state[0] = seed;
  for (let i = 1; i < WORDS; i++) {
    const before = state[i - 1]!;
    state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
  }
  let at = WORDS;
  return () => {
    if (at === WORDS) {
      twist(state);
      at = 0;
    }
    let y = state[at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

function twist(state: Uint32Array): void {
  for (let i = 0; i < WORDS; i++) {
    const y = (state[i]! & 0x80000000) | (state[(i + 1) % WORDS]! & 0x7fffffff);
    state[i] = state[(i + SHIFT) % WORDS]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
  }
}
