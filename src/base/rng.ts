/**
 * Seeded, splittable, counter-based randomness.
 *
 * An `Rng` is a 64-bit key and a counter; drawing applies Threefry-2x32 (20 rounds; Salmon et al., "Parallel Random
 * Numbers: As Easy as 1, 2, 3", SC 2011) to the counter under the key. Because a stream is a pure function of its key,
 * `rng.split("mask", step)` needs no history: resuming at step 5,000 does not replay the first 4,999.
 *
 * @example
 * const rng = Rng.fromSeed(17);
 * const masks = rng.split("mask", 3);   // the stream of step 3, whatever was drawn before
 * masks.uniform();                      // in [0, 1)
 */
export class Rng {
  private constructor(
    private readonly key0: number,
    private readonly key1: number,
    private counter: number,
  ) {}

  private readonly pair = new Uint32Array(2);
  private haveSecond = false;
  private spareNormal: number | undefined;

  /** A stream from an integer seed (any safe integer). */
  static fromSeed(seed: number): Rng {
    if (!Number.isSafeInteger(seed)) throw new TypeError(`seed: expected a safe integer, got ${seed}`);
    const out = new Uint32Array(2);
    threefry2x32(0x6c6f6465, 0x73746f6e, seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, out);
    return new Rng(out[0]!, out[1]!, 0);
  }

  /** A stream from a state written by {@link state}. */
  static fromState(state: RngState): Rng {
    return new Rng(state.key[0], state.key[1], state.counter);
  }

  /**
   * An independent stream named by labels. Does not advance this one: the same labels give the same stream.
   */
  split(...labels: readonly (string | number)[]): Rng {
    const out = new Uint32Array([this.key0, this.key1]);
    for (const label of labels) {
      const [a, b] = typeof label === "number" ? [label >>> 0, Math.floor(label / 2 ** 32) >>> 0] : hashText(label);
      threefry2x32(out[0]!, out[1]!, a, typeof label === "number" ? b : b ^ 0x80000000, out);
    }
    return new Rng(out[0]!, out[1]!, 0);
  }

  /** Key and position, as plain data for a checkpoint. */
  get state(): RngState {
    return { key: [this.key0, this.key1], counter: this.counter };
  }

  /** The two 32-bit words of the key as signed int32, for graphs that generate dropout masks. */
  get keyInt32(): readonly [number, number] {
    return [this.key0 | 0, this.key1 | 0];
  }

  /** A uniform 32-bit unsigned integer. */
  uint32(): number {
    if (this.haveSecond) {
      this.haveSecond = false;
      this.counter += 1;
      return this.pair[1]!;
    }
    const block = Math.floor(this.counter / 2);
    threefry2x32(this.key0, this.key1, block >>> 0, Math.floor(block / 2 ** 32) >>> 0, this.pair);
    if (this.counter % 2 === 1) {
      this.counter += 1;
      return this.pair[1]!;
    }
    this.haveSecond = true;
    this.counter += 1;
    return this.pair[0]!;
  }

  /** A uniform float in [0, 1) with 32 random bits. */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A uniform integer in [0, bound), unbiased (rejection). `bound` in 1 .. 2^32. */
  int(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32) {
      throw new RangeError(`rng.int: expected a bound in 1..2^32, got ${bound}`);
    }
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const x = this.uint32();
      if (x < limit) return x % bound;
    }
  }

  /** A standard normal draw (Box-Muller). */
  normal(): number {
    if (this.spareNormal !== undefined) {
      const spare = this.spareNormal;
      this.spareNormal = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Fisher-Yates in place; returns its argument. */
  shuffle<T extends unknown[] | Uint32Array>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const held = items[i]!;
      items[i] = items[j]!;
      items[j] = held;
    }
    return items;
  }

  /** A random permutation of 0 .. n-1. */
  permutation(n: number): Uint32Array {
    return this.shuffle(Uint32Array.from({ length: n }, (_, i) => i));
  }
}

/** Plain data; survives JSON. `spareNormal` is not part of it: checkpoint between draws of whole steps. */
export interface RngState {
  readonly key: readonly [number, number];
  readonly counter: number;
}

/** Threefry-2x32 with 20 rounds. Writes two words to `out`. */
export function threefry2x32(k0: number, k1: number, c0: number, c1: number, out: Uint32Array): void {
  const k2 = k0 ^ k1 ^ 0x1bd11bda;
  let x0 = (c0 + k0) | 0;
  let x1 = (c1 + k1) | 0;
  // Four rounds, then a part of the key, five times; int32 arithmetic wraps as the definition asks.
  for (let group = 1; group <= 5; group++) {
    const odd = group % 2 === 1;
    x0 = (x0 + x1) | 0;
    x1 = rotate(x1, odd ? 13 : 17) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = rotate(x1, odd ? 15 : 29) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = rotate(x1, odd ? 26 : 16) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = rotate(x1, odd ? 6 : 24) ^ x0;
    const first = group % 3;
    x0 = (x0 + (first === 0 ? k0 : first === 1 ? k1 : k2)) | 0;
    x1 = (x1 + (first === 0 ? k1 : first === 1 ? k2 : k0) + group) | 0;
  }
  out[0] = x0;
  out[1] = x1;
}

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

/** Two 32-bit words of a label: FNV-1a, and a mix with another factor. Labels are our own short names, not adversarial input. */
function hashText(text: string): [number, number] {
  let a = 0x811c9dc5;
  let b = 0xcbf29ce4;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193) >>> 0;
    b = Math.imul(b ^ code, 0x85ebca6b) >>> 0;
    b = (b ^ (b >>> 15)) >>> 0;
  }
  return [a, b];
}
