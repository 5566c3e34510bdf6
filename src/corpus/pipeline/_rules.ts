import { LANGUAGES } from "../../base/index.js";
import { ORIGIN_CAP, REPEATED_SUMMARY, SOURCE_CAP, SUMMARY_HELD_OUT, type Decisions } from "./_decisions.js";
import type { PartSet, PlacedPart } from "./_part-set.js";
import { eachRun, sortedOrder } from "./_sort.js";

/** Summaries that are sorted at a time (about 30 bytes each). */
const SORTED_AT_ONCE = 2 ** 24;

/**
 * Summaries on both sides of a split stay on the held-out one only (test before validation before training), whatever
 * their language; and one language keeps a summary `maxRepeats` times, those with the smallest hashes.
 */
export function limitSummaries(parts: PartSet, decisions: Decisions, maxRepeats: number): void {
  let passes = 1;
  while (parts.pairs / passes > SORTED_AT_ONCE) passes *= 2;
  for (let pass = 0; pass < passes; pass++) limitSome(parts, decisions, maxRepeats, passes, pass);
}

function limitSome(parts: PartSet, decisions: Decisions, maxRepeats: number, passes: number, pass: number): void {
  const isMine = (number: number, hi: number): boolean => hi % passes === pass && decisions.isKept("pairs", number);
  let count = 0;
  parts.each("pairs", (rows, row, number) => {
    if (isMine(number, rows.half(row, "summary", 0))) count += 1;
  });
  const numbers = new Uint32Array(count);
  const summary = { hi: new Uint32Array(count), lo: new Uint32Array(count) };
  const rank = { hi: new Uint32Array(count), lo: new Uint32Array(count) };
  const langs = new Uint8Array(count);
  let at = 0;
  parts.each("pairs", (rows, row, number) => {
    if (!isMine(number, rows.half(row, "summary", 0))) return;
    numbers[at] = number;
    summary.hi[at] = rows.half(row, "summary", 0);
    summary.lo[at] = rows.half(row, "summary", 1);
    rank.hi[at] = rows.half(row, "rank", 0);
    rank.lo[at] = rows.half(row, "rank", 1);
    langs[at] = rows.lang(row);
    at += 1;
  });
  const order = sortedOrder(summary.hi, summary.lo);
  eachRun(order, summary.hi, summary.lo, (start, end) => {
    let side = 0;
    for (let i = start; i < end; i++) side = Math.max(side, decisions.splitNumber("pairs", numbers[order[i]!]!));
    const kept: number[] = [];
    for (let i = start; i < end; i++) {
      const record = order[i]!;
      if (decisions.splitNumber("pairs", numbers[record]!) === side) kept.push(record);
      else decisions.drop("pairs", numbers[record]!, SUMMARY_HELD_OUT);
    }
    if (kept.length <= maxRepeats) return;
    kept.sort((a, b) => rank.hi[a]! - rank.hi[b]! || rank.lo[a]! - rank.lo[b]!);
    const seen = new Uint32Array(LANGUAGES.length);
    for (const record of kept) {
      if (seen[langs[record]!]! >= maxRepeats) decisions.drop("pairs", numbers[record]!, REPEATED_SUMMARY);
      else seen[langs[record]!]! += 1;
    }
  });
}

/** Sources with `maxPairs` keep so many: those with the smallest hashes. */
export function limitSources(parts: PartSet, decisions: Decisions): void {
  const limits = new Map<number, number>();
  parts.sources.forEach(({ maxPairs }, source) => {
    if (maxPairs !== undefined) limits.set(source, maxPairs);
  });
  if (limits.size > 0) limitGroups(parts, decisions, ({ source }) => source, limits, SOURCE_CAP);
}

/**
 * No origin gives more than `share` of its language's pairs. Where fewer than three origins have pairs of a language
 * there is no such limit: it could not be met, or would cost nearly everything.
 */
export function limitOrigins(parts: PartSet, decisions: Decisions, share: number): void {
  if (share >= 1) return;
  const groups = new Map<number, number>();
  const keyOf = (origin: number, lang: number): number => origin * LANGUAGES.length + lang;
  parts.each("pairs", (rows, row, number, part) => {
    if (!decisions.isKept("pairs", number)) return;
    const key = keyOf(part.origins[rows.origin(row)]!, rows.lang(row));
    groups.set(key, (groups.get(key) ?? 0) + 1);
  });
  const limits = new Map<number, number>();
  for (let lang = 0; lang < LANGUAGES.length; lang++) {
    const own = [...groups].filter(([key]) => key % LANGUAGES.length === lang);
    const limit = originLimit(
      own.map(([, count]) => count),
      share,
    );
    for (const [key, count] of own) if (count > limit) limits.set(key, limit);
  }
  if (limits.size === 0) return;
  const group = (part: PlacedPart, origin: number, lang: number): number => keyOf(part.origins[origin]!, lang);
  limitGroups(parts, decisions, group, limits, ORIGIN_CAP);
}

/**
 * The largest count that an origin may have so that none has more than `share` of what is left.
 *
 * @example
 * originLimit([90, 20, 10], 0.4) // 20: 20 of 20 + 20 + 10 is 40%
 */
export function originLimit(counts: readonly number[], share: number): number {
  if (counts.length < 3) return Infinity;
  const sorted = [...counts].sort((a, b) => b - a);
  let rest = sorted.reduce((sum, count) => sum + count, 0);
  if (sorted[0]! <= share * rest) return Infinity;
  // With k origins cut to the limit c: c = share (k c + rest).
  for (let cut = 1; cut * share < 1 && cut < sorted.length; cut++) {
    rest -= sorted[cut - 1]!;
    const limit = Math.floor((share * rest) / (1 - cut * share) + 1e-9);
    if (sorted[cut]! <= limit) return Math.max(1, limit);
  }
  return Infinity;
}

/** Keeps `limits.get(group)` pairs of each limited group, those with the smallest hashes. */
function limitGroups(
  parts: PartSet,
  decisions: Decisions,
  groupOf: (part: PlacedPart, origin: number, lang: number) => number,
  limits: ReadonlyMap<number, number>,
  fate: number,
): void {
  const members = new Map<number, { number: number; hi: number; lo: number }[]>();
  parts.each("pairs", (rows, row, number, part) => {
    if (!decisions.isKept("pairs", number)) return;
    const group = groupOf(part, rows.origin(row), rows.lang(row));
    if (!limits.has(group)) return;
    const member = { number, hi: rows.half(row, "rank", 0), lo: rows.half(row, "rank", 1) };
    const list = members.get(group);
    if (list === undefined) members.set(group, [member]);
    else list.push(member);
  });
  for (const [group, list] of members) {
    list.sort((a, b) => a.hi - b.hi || a.lo - b.lo || a.number - b.number);
    for (const { number } of list.slice(limits.get(group))) decisions.drop("pairs", number, fate);
  }
}
