/** A distribution of lengths: bins double, so that `from` of 8 holds 8 to 15. */
export interface Lengths {
  readonly count: number;
  readonly mean: number;
  readonly median: number;
  /** 95% are at most this long. */
  readonly p95: number;
  /** The last bin is the first that reaches the longest; empty ones between are there with 0. */
  readonly bins: readonly { readonly from: number; readonly count: number }[];
}

const EXACT = 65_536;

/** Counts whole lengths in constant memory; exact below 65,536 and by powers of two above. */
export class LengthTally {
  private readonly exact = new Uint32Array(EXACT);
  private readonly above: number[] = [];
  private count = 0;
  private sum = 0;

  add(length: number): void {
    this.count += 1;
    this.sum += length;
    if (length < EXACT) this.exact[length]! += 1;
    else {
      const bin = Math.floor(Math.log2(length));
      this.above[bin] = (this.above[bin] ?? 0) + 1;
    }
  }

  summary(): Lengths {
    const bins: number[] = [];
    for (let length = 0; length < EXACT; length++) {
      const found = this.exact[length]!;
      if (found === 0) continue;
      const bin = length < 1 ? 0 : Math.floor(Math.log2(length));
      bins[bin] = (bins[bin] ?? 0) + found;
    }
    this.above.forEach((found, bin) => (bins[bin] = found));
    return {
      count: this.count,
      mean: this.count === 0 ? 0 : this.sum / this.count,
      median: this.quantile(0.5),
      p95: this.quantile(0.95),
      bins: Array.from(bins, (found: number | undefined, bin) => ({ from: 2 ** bin, count: found ?? 0 })),
    };
  }

  /** The least length that this share of all reaches; a power of two where it is a long one. */
  private quantile(share: number): number {
    let left = Math.ceil(this.count * share);
    if (left === 0) return 0;
    for (let length = 0; length < EXACT; length++) {
      left -= this.exact[length]!;
      if (left <= 0) return length;
    }
    for (let bin = 16; bin < this.above.length; bin++) {
      left -= this.above[bin] ?? 0;
      if (left <= 0) return 2 ** bin;
    }
    return EXACT;
  }
}

/**
 * Counts by name in bounded memory. Beyond `capacity` names the rarest half is forgotten, after which counts are lower
 * bounds and {@link exact} is false: the frequent ones, which a report shows, stay nearly right.
 */
export class NameTally<Counts extends Record<string, number>> {
  private readonly names = new Map<string, Counts>();
  exact = true;

  constructor(
    private readonly empty: () => Counts,
    private readonly capacity = 100_000,
  ) {}

  of(name: string): Counts {
    let counts = this.names.get(name);
    if (counts === undefined) {
      if (this.names.size >= this.capacity) this.forget();
      counts = this.empty();
      this.names.set(name, counts);
    }
    return counts;
  }

  get size(): number {
    return this.names.size;
  }

  /** All by the descending value of `key`, ties by name. */
  sorted(key: keyof Counts): { readonly name: string; readonly counts: Counts }[] {
    return [...this.names]
      .map(([name, counts]) => ({ name, counts }))
      .sort((a, b) => b.counts[key]! - a.counts[key]! || (a.name < b.name ? -1 : 1));
  }

  private forget(): void {
    this.exact = false;
    const weight = (counts: Counts): number => Object.values(counts).reduce((sum, one) => sum + one, 0);
    const byWeight = [...this.names].sort(([, a], [, b]) => weight(a) - weight(b));
    for (const [name] of byWeight.slice(0, Math.ceil(this.capacity / 2))) this.names.delete(name);
  }
}
