/** One of the things compared. */
export interface Variant {
  readonly name: string;
  /**
   * One repetition. Returns the seconds of the part that counts (measured where it runs, so that our own plumbing to a
   * peer's process is not counted against it), or several where a repetition holds several equal steps.
   */
  measure(): Promise<number | readonly number[]>;
}

export interface InterleaveOptions {
  /** Rounds over all variants; default 7 (2 under `--quick`). */
  readonly repetitions?: number;
  /** Rounds before those, not counted; default 1. */
  readonly warmUp?: number;
  /** Seconds this comparison may take; default what is left of the bench's bound. */
  readonly seconds?: number;
}

/** Seconds of one variant over its repetitions. */
export type Summary = {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly samples: readonly number[];
};

export interface Interleaved {
  readonly summaries: Readonly<Record<string, Summary>>;
  readonly repetitions: number;
  /** Set where the bound on time left fewer repetitions than asked for. */
  readonly shortened?: string;
  /** `ours`' speed divided by `peer`'s (of medians): above 1 ours is faster. */
  ratio(ours: string, peer: string): number;
}

/**
 * Runs the variants in turns, A B C A B C, so that a machine that gets slower or busier does so for all of them alike.
 * Stops before a round that would pass the bound, but never before the first counted one.
 */
export async function interleave(
  variants: readonly Variant[],
  options: { repetitions: number; warmUp: number; seconds: number },
  now: () => number = () => performance.now() / 1000,
): Promise<Interleaved> {
  const samples = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  const start = now();
  let longest = 0;
  let counted = 0;
  let warmed = 0;
  const fits = (): boolean => now() - start + longest <= options.seconds;
  while (warmed < options.warmUp && (warmed === 0 || fits())) {
    longest = Math.max(longest, await round(variants, now));
    warmed += 1;
  }
  while (counted < options.repetitions && (counted === 0 || fits())) {
    longest = Math.max(longest, await round(variants, now, samples));
    counted += 1;
  }
  const summaries = Object.fromEntries([...samples].map(([name, values]) => [name, summarise(values)]));
  const shortened =
    counted < options.repetitions
      ? `${counted} of ${options.repetitions} repetitions fitted into ${Math.round(options.seconds)} s`
      : undefined;
  return {
    summaries,
    repetitions: counted,
    ...(shortened === undefined ? {} : { shortened }),
    ratio: (ours, peer) => summaryOf(summaries, peer).median / summaryOf(summaries, ours).median,
  };
}

async function round(
  variants: readonly Variant[],
  now: () => number,
  samples?: ReadonlyMap<string, number[]>,
): Promise<number> {
  const start = now();
  for (const variant of variants) {
    const measured = await variant.measure();
    samples?.get(variant.name)?.push(...(typeof measured === "number" ? [measured] : measured));
  }
  return now() - start;
}

/** Median (mean of the middle two for an even count), least and greatest of some seconds. */
export function summarise(samples: readonly number[]): Summary {
  if (samples.length === 0) throw new RangeError("summarise: expected at least one sample");
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)!, samples };
}

function summaryOf(summaries: Readonly<Record<string, Summary>>, name: string): Summary {
  const summary = summaries[name];
  if (summary === undefined)
    throw new RangeError(`ratio: expected one of ${Object.keys(summaries).join(", ")}, got ${name}`);
  return summary;
}
