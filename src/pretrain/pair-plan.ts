import type { Rng } from "../base/index.js";
import { epochOrder } from "./order.js";

/** `mixed`: languages together; `same-language`: each batch of one; `alternating`: one after the other. */
export type BatchKind = "mixed" | "same-language" | "alternating";

/** What planning knows of item `i`: a pair as an epoch shows it. */
export interface PlannedPairs {
  readonly count: number;
  /** Tokens of the code side that is shown. */
  length(item: number): number;
  /** Numbers of which two items of one batch must share none: the id, and hashes of the texts and code sides. */
  keys(item: number): readonly number[];
  /** A number from 0 on; all one language where it is not given. */
  language?(item: number): number;
  /** Items that item `item` should meet in its batch, since their code is a hard negative of its text; the hardest first. */
  negatives?(item: number): Iterable<number>;
}

/** @see planEpoch */
export interface PlanOptions {
  /** Items of a batch. */
  readonly batch: number;
  /** Batches whose items are sorted by length together; 1 does not sort. */
  readonly pool: number;
  /** `mixed` if not given. */
  readonly batches?: BatchKind;
  /** Hard negatives that an item brings into its batch, at most; 0 if not given. */
  readonly negatives?: number;
}

/** A batch of a plan. */
export interface PlannedBatch {
  /** In random order. */
  readonly items: Uint32Array;
  /** Items that were put off to a later batch, since they shared a key with one of these. */
  readonly deferred: number;
  /** Items that came as hard negatives of others. */
  readonly mined: number;
}

/** The batches of one epoch, each of exactly `batch` items, and the items that found no place. */
export interface EpochPlan {
  readonly batches: readonly PlannedBatch[];
  readonly left: number;
}

/**
 * Plans an epoch of stage 2: a pure function of the items, the key and the epoch.
 *
 * Items are taken in a random order, `pool` batches at a time; within such a pool they are sorted by the length of their
 * code, so that a batch pads little, and filled into batches. An item that shares a key with one already in the batch
 * waits for the next batch: a duplicate would be a negative that is in truth a positive. What does not fill a batch goes
 * on to the next pool, and at the end of the epoch is left out.
 *
 * Length must not tell which code belongs to which text. All code sides of a batch are about equally long, so that their
 * length tells less than in a batch at random; the rows of a batch are shuffled, so that a place in it tells nothing; and
 * so are the batches, so that an epoch does not go from short to long.
 *
 * An item brings some of its hard negatives along, those that no batch has yet: they are pairs like the others, once an epoch,
 * and come into this batch instead of a later one. Items that came so bring none of their own.
 *
 * With `same-language` every language is planned by itself, and a language that fills no batch is left out. With
 * `alternating`, half of the items are planned so; the other half, and what they left, is planned together, and batches
 * of the two kinds follow one another.
 */
export function planEpoch(items: PlannedPairs, options: PlanOptions, rng: Rng, epoch: number): EpochPlan {
  const { batches: kind = "mixed" } = options;
  const order = epochOrder(rng, epoch, items.count);
  const shuffle = (batches: PlannedBatch[], name: string): PlannedBatch[] => rng.split(name, epoch).shuffle(batches);
  const filler = new Filler(items, options);
  let planned: PlannedBatch[] = [];
  if (kind === "alternating") {
    const half = order.length >> 1;
    const rest = filler.byLanguage(order.subarray(half), planned);
    const apart = shuffle(planned, "language-batches");
    const together: PlannedBatch[] = [];
    filler.pools([...order.subarray(0, half), ...rest], together);
    planned = interleave(shuffle(together, "batches"), apart);
  } else {
    if (kind === "mixed") filler.pools(order, planned);
    else filler.byLanguage(order, planned);
    shuffle(planned, "batches");
  }
  planned.forEach((batch, i) => rng.split("rows", epoch, i).shuffle(batch.items));
  return { batches: planned, left: items.count - options.batch * planned.length };
}

/** Fills the batches of one epoch. */
class Filler {
  /** 1 for each item that has its batch. */
  private readonly used: Uint8Array;

  constructor(
    private readonly items: PlannedPairs,
    private readonly options: PlanOptions,
  ) {
    this.used = new Uint8Array(items.count);
  }

  /** Adds batches of one language each; returns what is left of all. */
  byLanguage(order: Uint32Array, batches: PlannedBatch[]): number[] {
    const byLanguage: number[][] = [];
    for (const item of order) {
      const language = this.items.language?.(item) ?? 0;
      (byLanguage[language] ??= []).push(item);
    }
    // `flat` passes over languages without items.
    return byLanguage.map((own) => this.pools(own, batches)).flat();
  }

  /** Adds batches, a pool at a time; returns what is left. */
  pools(order: Uint32Array | readonly number[], batches: PlannedBatch[]): number[] {
    const { items, options } = this;
    const stretch = options.batch * options.pool;
    let waiting: number[] = [];
    for (let start = 0; start < order.length; start += stretch) {
      const taken = [...waiting, ...order.slice(start, start + stretch)];
      // Array sort is stable: items of one length stay in random order.
      if (options.pool > 1) taken.sort((a, b) => items.length(a) - items.length(b));
      waiting = this.fill(taken, batches);
    }
    return waiting;
  }

  /** Takes full batches from the front of `taken`; returns what is left. */
  private fill(taken: readonly number[], batches: PlannedBatch[]): number[] {
    const { batch: size } = this.options;
    let waiting: number[] = [];
    let at = 0;
    for (;;) {
      const batch = new OpenBatch(this.items, this.used, this.options);
      waiting.forEach((item) => batch.offer(item));
      while (batch.rows.length < size && at < taken.length) batch.offer(taken[at++]!);
      if (batch.rows.length < size) {
        for (const item of batch.rows) this.used[item] = 0;
        return [...batch.rows, ...batch.put];
      }
      batches.push({ items: Uint32Array.from(batch.rows), deferred: batch.deferred, mined: batch.mined });
      waiting = batch.put;
    }
  }
}

/** A batch that is being filled. */
class OpenBatch {
  readonly rows: number[] = [];
  /** Items that were offered and must wait. */
  readonly put: number[] = [];
  deferred = 0;
  mined = 0;
  private readonly seen = new Set<number>();

  constructor(
    private readonly items: PlannedPairs,
    private readonly used: Uint8Array,
    private readonly options: PlanOptions,
  ) {}

  offer(item: number): void {
    if (this.used[item] === 1) return; // It came as a negative of another.
    if (this.rows.length === this.options.batch) this.put.push(item);
    else if (!this.add(item)) {
      this.deferred += 1;
      this.put.push(item);
    } else this.addNegativesOf(item);
  }

  private addNegativesOf(item: number): void {
    const { negatives: most = 0, batch } = this.options;
    let brought = 0;
    for (const negative of most === 0 ? [] : (this.items.negatives?.(item) ?? [])) {
      if (brought === most || this.rows.length === batch) break;
      if (this.used[negative] === 1 || !this.add(negative)) continue;
      brought += 1;
    }
    this.mined += brought;
  }

  /** Adds an item, unless the batch holds one of its keys. */
  private add(item: number): boolean {
    const keys = this.items.keys(item);
    if (keys.some((key) => this.seen.has(key))) return false;
    for (const key of keys) this.seen.add(key);
    this.rows.push(item);
    this.used[item] = 1;
    return true;
  }
}

/** One of each in turn, then the rest of the longer list. */
function interleave<T>(a: readonly T[], b: readonly T[]): T[] {
  const out: T[] = [];
  for (let i = 0; i < Math.max(a.length, b.length); i++) out.push(...a.slice(i, i + 1), ...b.slice(i, i + 1));
  return out;
}
