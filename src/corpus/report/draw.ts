import { createHash } from "node:crypto";
import type { Language, ProgressEvent } from "../../base/index.js";
import { ProgressMeter } from "../../base/index.js";
import { readManifest, readPairs } from "../read.js";
import type { CorpusPair, Split } from "../types.js";

export interface DrawOptions {
  /** Pairs per language. */
  readonly count: number;
  readonly seed: number;
  /** All languages of the corpus by default. */
  readonly languages?: readonly Language[];
  /** Default `all`. */
  readonly split?: Split | "all";
  readonly signal?: AbortSignal;
}

/**
 * Random pairs of each language: those whose hash of seed and id is least. So the same corpus and seed give the same
 * sample, a larger `count` begins with the smaller one, and the corpus's order plays no part.
 *
 * @throws UserError those of {@link readPairs}; the signal's reason
 */
export async function* drawPairs(
  folder: string,
  options: DrawOptions,
): AsyncGenerator<ProgressEvent, ReadonlyMap<Language, CorpusPair[]>> {
  const manifest = await readManifest(folder);
  const wanted = options.languages === undefined ? undefined : new Set(options.languages);
  const drawn = new Map<Language, Least>();
  const events: ProgressEvent[] = [];
  const meter = new ProgressMeter("sample", "pairs", manifest.pairs, (event) => events.push(event));
  let done = 0;
  for await (const pair of readPairs(folder, { split: options.split ?? "all" })) {
    options.signal?.throwIfAborted();
    done += 1;
    if (wanted === undefined || wanted.has(pair.lang)) {
      let least = drawn.get(pair.lang);
      if (least === undefined) drawn.set(pair.lang, (least = new Least(options.count)));
      least.offer(orderOf(options.seed, pair.id), pair);
    }
    meter.update(done);
    yield* events.splice(0);
  }
  meter.update(manifest.pairs);
  yield* events.splice(0);
  return new Map([...drawn].sort(([a], [b]) => (a < b ? -1 : 1)).map(([lang, least]) => [lang, least.sorted()]));
}

/** Where a pair stands in the random order of a seed; hexadecimal. */
export function orderOf(seed: number, id: string): string {
  return createHash("sha256").update(`${seed}\n${id}`).digest("hex").slice(0, 20);
}

/** Keeps the `count` items of least order: collects twice as many, then drops the greater half. */
class Least {
  private items: { readonly order: string; readonly pair: CorpusPair }[] = [];
  private bound: string | undefined;

  constructor(private readonly count: number) {}

  offer(order: string, pair: CorpusPair): void {
    if (this.bound !== undefined && order > this.bound) return;
    this.items.push({ order, pair });
    if (this.items.length >= 2 * this.count + 16) this.cut();
  }

  sorted(): CorpusPair[] {
    this.cut();
    return this.items.map(({ pair }) => pair);
  }

  private cut(): void {
    this.items.sort((a, b) => (a.order < b.order ? -1 : 1));
    this.items.length = Math.min(this.items.length, this.count);
    if (this.items.length === this.count) this.bound = this.items.at(-1)?.order;
  }
}
