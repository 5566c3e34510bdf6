import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { LANGUAGES, type Language } from "../../base/index.js";
import { DUPLICATE, NEAR_DUPLICATE, type Decisions } from "./_decisions.js";
import { NearIndex } from "./_near.js";
import type { RecordKind } from "./_part.js";
import type { PartSet, PlacedPart } from "./_part-set.js";
import { Components, eachRun, sortedOrder } from "./_sort.js";

/** Languages whose code can be the same. One group is in memory at a time. */
const GROUPS: readonly (readonly Language[])[] = [
  ["javascript", "typescript"],
  ...LANGUAGES.filter((lang) => lang !== "javascript" && lang !== "typescript").map((lang) => [lang]),
];

export interface DedupeOptions {
  readonly folder: string;
  readonly thresholds: Readonly<Record<RecordKind, number>>;
  /** Among equals the one with the largest preference is kept: 2 for test, 1 for validation where the config fixes it. */
  readonly preference: (part: PlacedPart, origin: number) => number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Drops duplicates: records with the same tokens, and those that a chain of near duplicates connects. Of each connected
 * component one is kept: the preferred, then the one with the smallest hash. About 30 bytes a record of one group of
 * languages are in memory, the rest is on disk.
 */
export async function* deduplicate(
  parts: PartSet,
  decisions: Decisions,
  options: DedupeOptions,
): AsyncGenerator<string> {
  for (const kind of ["pairs", "documents"] as const) {
    for (const group of GROUPS) {
      options.signal?.throwIfAborted();
      await nextTurn();
      yield `${kind} in ${group.join(" and ")}`;
      await deduplicateGroup(parts, decisions, options, kind, group);
    }
  }
}

async function deduplicateGroup(
  parts: PartSet,
  decisions: Decisions,
  { folder, thresholds, preference }: DedupeOptions,
  kind: RecordKind,
  group: readonly Language[],
): Promise<void> {
  const wanted = Uint8Array.from(LANGUAGES, (lang) => (group.includes(lang) ? 1 : 0));
  let count = 0;
  parts.each(kind, (rows, row) => (count += wanted[rows.lang(row)]!));
  if (count === 0) return;

  const numbers = new Uint32Array(count);
  const exact = { hi: new Uint32Array(count), lo: new Uint32Array(count) };
  const rank = { hi: new Uint32Array(count), lo: new Uint32Array(count) };
  const preferred = new Uint8Array(count);
  const near = await NearIndex.create(join(folder, "near"));
  const components = new Components(count);
  try {
    let at = 0;
    parts.each(kind, (rows, row, number, part) => {
      if (wanted[rows.lang(row)] === 0) return;
      numbers[at] = number;
      exact.hi[at] = rows.half(row, "exact", 0);
      exact.lo[at] = rows.half(row, "exact", 1);
      rank.hi[at] = rows.half(row, "rank", 0);
      rank.lo[at] = rows.half(row, "rank", 1);
      preferred[at] = preference(part, part.origins[rows.origin(row)]!);
      near.add((band) => rows.band(row, band), rows.signature(row));
      at += 1;
    });
    const repeated = new Uint8Array(count);
    const order = sortedOrder(exact.hi, exact.lo);
    eachRun(order, exact.hi, exact.lo, (start, end) => {
      for (let i = start + 1; i < end; i++) {
        components.join(order[start]!, order[i]!);
        repeated[order[i]!] = 1;
      }
    });
    if (thresholds[kind] < 1) near.join(components, thresholds[kind], (record) => repeated[record] === 1);
  } finally {
    await near.remove();
  }

  const best = new Uint32Array(count).fill(0xffffffff);
  const better = (a: number, b: number): boolean =>
    preferred[a] !== preferred[b]
      ? preferred[a]! > preferred[b]!
      : rank.hi[a] !== rank.hi[b]
        ? rank.hi[a]! < rank.hi[b]!
        : rank.lo[a] !== rank.lo[b]
          ? rank.lo[a]! < rank.lo[b]!
          : a < b;
  for (let i = 0; i < count; i++) {
    const root = components.root(i);
    if (best[root] === 0xffffffff || better(i, best[root]!)) best[root] = i;
  }
  for (let i = 0; i < count; i++) {
    const keeper = best[components.root(i)]!;
    if (kind === "pairs") decisions.keeper[numbers[i]!] = numbers[keeper]!;
    if (keeper === i) continue;
    const isEqual = exact.hi[i] === exact.hi[keeper] && exact.lo[i] === exact.lo[keeper];
    decisions.drop(kind, numbers[i]!, isEqual ? DUPLICATE : NEAR_DUPLICATE);
  }
}
