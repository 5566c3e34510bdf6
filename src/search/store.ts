/** A row of a store and its similarity to a query. */
export interface Neighbour {
  readonly row: number;
  readonly score: number;
}

/** Where vectors are kept and compared. Rows are numbered from 0 in the order in which they came. */
export interface VectorStore {
  readonly size: number;
  /** Adds one unit vector. */
  add(vector: Float32Array): void;
  /** The `limit` rows most similar (by dot product) to a unit vector, best first; equal scores by row. */
  nearest(query: Float32Array, limit: number): Neighbour[];
}

/** Compares with every vector: exact, in memory. 100,000 rows of 256 took 0.1 s on two busy cores. */
export class ExactStore implements VectorStore {
  private data: Float32Array;
  private rows = 0;

  constructor(private readonly dim: number) {
    this.data = new Float32Array(64 * dim);
  }

  get size(): number {
    return this.rows;
  }

  add(vector: Float32Array): void {
    if (vector.length !== this.dim) {
      throw new RangeError(`store: expected a vector of ${this.dim} numbers, got ${vector.length}`);
    }
    if ((this.rows + 1) * this.dim > this.data.length) {
      const larger = new Float32Array(this.data.length * 2);
      larger.set(this.data);
      this.data = larger;
    }
    this.data.set(vector, this.rows * this.dim);
    this.rows += 1;
  }

  nearest(query: Float32Array, limit: number): Neighbour[] {
    if (!(limit >= 1)) return [];
    const best: Neighbour[] = []; // Ascending by rank; `limit` is small, so insertion beats a heap.
    for (let row = 0; row < this.rows; row++) {
      let score = 0;
      for (let k = 0, at = row * this.dim; k < this.dim; k++, at++) score += this.data[at]! * query[k]!;
      if (best.length === limit && !(score > best[limit - 1]!.score)) continue;
      let place = best.length;
      while (place > 0 && score > best[place - 1]!.score) place -= 1;
      best.splice(place, 0, { row, score });
      if (best.length > limit) best.pop();
    }
    return best;
  }
}
