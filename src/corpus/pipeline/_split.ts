import { LANGUAGES, type Language } from "../../base/index.js";
import type { CorpusConfig } from "../config.js";
import type { Split } from "../types.js";
import { hashText } from "./_hash.js";

/** A held-out split takes at most this much more than its share of a language, so that no giant origin is in it. */
const SLACK = 5 / 3;
/** With less than this part of its share in whole origins, a language's files are drawn. */
const ENOUGH = 0.5;
type HeldOut = "validation" | "test";

/** Records of one origin by language (order of `LANGUAGES`). */
export interface OriginCounts {
  readonly origin: string;
  /** Fixed by the config. */
  readonly split: Split | undefined;
  readonly counts: Float64Array;
}

/** Says where records go. */
export interface SplitPlan {
  /** The split of an origin as a whole; undefined: where its languages are drawn by file it may be any, else train. */
  readonly origins: ReadonlyMap<string, Split>;
  /** Languages whose files are drawn, as the other origins are too large or too few. */
  readonly byFile: Readonly<Record<HeldOut, readonly Language[]>>;
  /** The split of a record. `draw`: 32 bits by hash of its file. */
  of(origin: string, fixed: Split | undefined, lang: Language, draw: number): Split;
}

/**
 * Chooses what is held out. By origin: for each language, beginning with the smallest, origins are taken in the order of
 * their hashes until its share is met, passing over those that would take any of their languages over {@link SLACK} times
 * its share. An origin is on one side as a whole, with all its languages.
 */
export function planSplit(origins: readonly OriginCounts[], config: CorpusConfig): SplitPlan {
  const assigned = new Map<string, Split>();
  const byFile: Record<HeldOut, Language[]> = { validation: [], test: [] };
  const totals = sum(origins.map(({ counts }) => counts));
  const present = LANGUAGES.map((_, lang) => lang)
    .filter((lang) => totals[lang]! > 0)
    .sort((a, b) => totals[a]! - totals[b]! || a - b);

  for (const split of ["test", "validation"] as const) {
    const share = config.split[split];
    const held = sum(origins.filter((one) => one.split === split).map(({ counts }) => counts));
    if (share === 0) continue;
    if (config.split.by === "file") {
      byFile[split].push(...present.map((lang) => LANGUAGES[lang]!));
      continue;
    }
    const ordered = origins
      .filter((one) => one.split === undefined)
      .map((one) => ({ ...one, hash: hashText(`${split}\n${config.seed}\n${one.origin}`) }))
      .sort((a, b) => a.hash.hi - b.hash.hi || a.hash.lo - b.hash.lo);
    for (const lang of present) {
      for (const { origin, counts } of ordered) {
        if (held[lang]! >= share * totals[lang]!) break;
        if (counts[lang] === 0 || assigned.has(origin)) continue;
        const fits = counts.every((count, l) => count === 0 || held[l]! + count <= SLACK * share * totals[l]!);
        if (!fits) continue;
        assigned.set(origin, split);
        counts.forEach((count, l) => (held[l]! += count));
      }
      if (held[lang]! < ENOUGH * share * totals[lang]!) byFile[split].push(LANGUAGES[lang]!);
    }
  }

  return {
    origins: assigned,
    byFile,
    of(origin, fixed, lang, draw) {
      const whole = fixed ?? assigned.get(origin);
      if (whole !== undefined) return whole;
      const at = draw / 2 ** 32;
      const test = byFile.test.includes(lang) ? config.split.test : 0;
      if (at < test) return "test";
      return byFile.validation.includes(lang) && at < test + config.split.validation ? "validation" : "train";
    },
  };
}

function sum(rows: readonly Float64Array[]): Float64Array {
  const total = new Float64Array(LANGUAGES.length);
  for (const row of rows) row.forEach((value, i) => (total[i]! += value));
  return total;
}
