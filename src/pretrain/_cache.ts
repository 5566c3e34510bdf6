/** Least-recently-used values up to a total weight. A value heavier than the limit is made each time. */
export class WeightedCache<K, V> {
  private readonly entries = new Map<K, { value: V; weight: number }>();
  private total = 0;

  constructor(
    private readonly limit: number,
    private readonly weigh: (value: V) => number,
  ) {}

  async get(key: K, make: () => V | Promise<V>): Promise<V> {
    const known = this.entries.get(key);
    if (known !== undefined) {
      this.entries.delete(key); // Maps remember insertion order: put it last.
      this.entries.set(key, known);
      return known.value;
    }
    const value = await make();
    const weight = this.weigh(value);
    if (weight > this.limit) return value;
    this.entries.set(key, { value, weight });
    this.total += weight;
    for (const [oldest, entry] of this.entries) {
      if (this.total <= this.limit) break;
      this.entries.delete(oldest);
      this.total -= entry.weight;
    }
    return value;
  }

  get weight(): number {
    return this.total;
  }
}
