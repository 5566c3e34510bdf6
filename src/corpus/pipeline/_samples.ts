import type { Language } from "../../base/index.js";
import { LANGUAGES } from "../../base/index.js";
import type { DroppedSample, DroppedSamples } from "../types.js";
import type { RankedSample } from "./_batch.js";

/** Samples kept of each rule. */
const KEPT = 10;

/** Keeps, for each language and reason, the samples with the smallest ranks: the same ones in whatever order they come. */
export class Samples {
  private readonly kept = new Map<string, RankedSample[]>();

  /** `make` is called only where the sample is kept for now. */
  offer(lang: Language | undefined, reason: string, rank: number, make: () => DroppedSample): void {
    const key = `${lang ?? ""}\n${reason}`;
    let list = this.kept.get(key);
    if (list === undefined) this.kept.set(key, (list = []));
    if (list.length === KEPT && rank >= list[KEPT - 1]!.rank) return;
    let at = list.length;
    while (at > 0 && list[at - 1]!.rank > rank) at -= 1;
    list.splice(at, 0, { lang, reason, rank, sample: make() });
    if (list.length > KEPT) list.pop();
  }

  add(samples: readonly RankedSample[]): void {
    for (const { lang, reason, rank, sample } of samples) this.offer(lang, reason, rank, () => sample);
  }

  list(): RankedSample[] {
    return [...this.kept.values()].flat();
  }

  /** The content of `dropped.json`, with keys in a fixed order. */
  summary(): DroppedSamples {
    const functions: Partial<Record<Language, Record<string, DroppedSample[]>>> = {};
    const files: Record<string, DroppedSample[]> = {};
    const lists = [...this.kept.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const lang of LANGUAGES) {
      for (const [, list] of lists) {
        if (list[0]?.lang === lang) (functions[lang] ??= {})[list[0].reason] = list.map(({ sample }) => sample);
      }
    }
    for (const [, list] of lists) {
      if (list[0] !== undefined && list[0].lang === undefined) files[list[0].reason] = list.map(({ sample }) => sample);
    }
    return { functions, files };
  }
}
