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
}

/** @see planEpoch */
export interface PlanOptions {
  /** Items of a batch. */
  readonly batch: number;
  /** Batches whose items are sorted by length together; 1 does not sort. */
  readonly pool: number;
  /** `mixed` if not given. */
  readonly batches?: BatchKind;
}

/** A batch of a plan. */
export interface PlannedBatch {
  /** In random order. */
  readonly items: Uint32Array;
  /** Items that were put off to a later batch, since they shared a key with one of these. */
  readonly deferred: number;
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
 * With `same-language` every language is planned by itself, and a language that fills no batch is left out. With
 * `alternating`, half of the items are planned so; the other half, and what they left, is planned together, and batches
 * of the two kinds follow one another.
 */
export function planEpoch(items: PlannedPairs, options: PlanOptions, rng: Rng, epoch: number): EpochPlan {
  const { batches: kind = "mixed" } = options;
  const order = epochOrder(rng, epoch, items.count);
  const shuffle = (batches: PlannedBatch[], name: string): PlannedBatch[] => rng.split(name, epoch).shuffle(batches);
  let planned: PlannedBatch[] = [];
  let left: readonly number[];
  if (kind === "mixed") {
    left = fillPools(order, items, options, planned);
    shuffle(planned, "batches");
  } else if (kind === "same-language") {
    left = fillByLanguage(order, items, options, planned);
    shuffle(planned, "batches");
  } else {
    const half = order.length >> 1;
    const [together, apart]: [PlannedBatch[], PlannedBatch[]] = [[], []];
    const rest = fillByLanguage(order.subarray(half), items, options, apart);
    left = fillPools(Uint32Array.from([...order.subarray(0, half), ...rest]), items, options, together);
    planned = interleave(shuffle(together, "batches"), shuffle(apart, "language-batches"));
  }
  planned.forEach((batch, i) => shuffleRows(batch.items, rng.split("rows", epoch, i)));
  return { batches: planned, left: left.length };
}

/** Batches of one language each; returns what is left of all. */
function fillByLanguage(
  order: Uint32Array,
  items: PlannedPairs,
  options: PlanOptions,
  batches: PlannedBatch[],
): number[] {
  const byLanguage: number[][] = [];
  for (const item of order) {
    const language = items.language?.(item) ?? 0;
    (byLanguage[language] ??= []).push(item);
  }
  // `flat` passes over languages without items.
  return byLanguage.map((own) => fillPools(Uint32Array.from(own), items, options, batches)).flat();
}

function fillPools(
  order: Uint32Array,
  items: PlannedPairs,
  { batch: size, pool }: PlanOptions,
  batches: PlannedBatch[],
): number[] {
  let waiting: number[] = [];
  for (let start = 0; start < order.length; start += size * pool) {
    const taken = [...waiting, ...order.subarray(start, start + size * pool)];
    // Array sort is stable: items of one length stay in random order.
    if (pool > 1) taken.sort((a, b) => items.length(a) - items.length(b));
    waiting = fill(taken, items, size, batches);
  }
  return waiting;
}

/** Takes full batches from the front of `taken`; returns what is left. */
function fill(taken: readonly number[], items: PlannedPairs, size: number, batches: PlannedBatch[]): number[] {
  let waiting: number[] = [];
  let at = 0;
  for (;;) {
    const batch: number[] = [];
    const seen = new Set<number>();
    const still: number[] = [];
    let deferred = 0;
    const offer = (item: number): void => {
      const keys = items.keys(item);
      if (batch.length === size) still.push(item);
      else if (keys.some((key) => seen.has(key))) {
        deferred += 1;
        still.push(item);
      } else {
        batch.push(item);
        for (const key of keys) seen.add(key);
      }
    };
    waiting.forEach(offer);
    while (batch.length < size && at < taken.length) offer(taken[at++]!);
    if (batch.length < size) return [...batch, ...still];
    batches.push({ items: Uint32Array.from(batch), deferred });
    waiting = still;
  }
}

/** One of each in turn, then the rest of the longer list. */
function interleave<T>(a: readonly T[], b: readonly T[]): T[] {
  const out: T[] = [];
  for (let i = 0; i < Math.max(a.length, b.length); i++) out.push(...a.slice(i, i + 1), ...b.slice(i, i + 1));
  return out;
}

/** Fisher-Yates in place. */
function shuffleRows(rows: Uint32Array, rng: Rng): void {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = rng.int(i + 1);
    [rows[i], rows[j]] = [rows[j]!, rows[i]!];
  }
}
