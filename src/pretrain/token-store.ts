/**
 * Token sequences, one after another in typed arrays: 2 bytes a token where the vocabulary allows it. A million pairs
 * cost what their tokens cost, not a million JavaScript objects.
 */
export class TokenStore {
  private data: Uint16Array | Int32Array;
  private ends = new Float64Array(1024); // Exact beyond 2^32.
  private used = 0;
  private count = 0;

  constructor(vocabSize: number) {
    this.data = vocabSize <= 2 ** 16 ? new Uint16Array(2 ** 16) : new Int32Array(2 ** 16);
  }

  /** Sequences held. */
  get length(): number {
    return this.count;
  }

  /** Adds a sequence; its number is the {@link length} before. */
  push(ids: Int32Array): void {
    if (this.used + ids.length > this.data.length) {
      const larger = new (this.data.constructor as Uint16ArrayConstructor | Int32ArrayConstructor)(
        Math.max(2 * this.data.length, this.used + ids.length),
      );
      larger.set(this.data);
      this.data = larger;
    }
    if (this.count === this.ends.length) {
      const larger = new Float64Array(2 * this.count);
      larger.set(this.ends);
      this.ends = larger;
    }
    this.data.set(ids, this.used);
    this.used += ids.length;
    this.ends[this.count] = this.used;
    this.count += 1;
  }

  /** Tokens of sequence `index`: a view, not a copy. */
  get(index: number): Uint16Array | Int32Array {
    return this.data.subarray(this.begin(index), this.ends[index]!);
  }

  /** Number of tokens of sequence `index`. */
  lengthOf(index: number): number {
    return this.ends[index]! - this.begin(index);
  }

  private begin(index: number): number {
    return index === 0 ? 0 : this.ends[index - 1]!;
  }
}
