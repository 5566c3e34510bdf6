import { access } from "node:fs/promises";
import { errnoOf, UserError } from "../../base/index.js";
import { readNegatives, type MinedLine } from "../../corpus/index.js";
import { idNumber, type PairTokens } from "../pair-tokens.js";
import type { EpochItems } from "./items.js";

/** Hard negatives of pairs, by the pairs' numbers. */
export interface Negatives {
  /** That come into a batch with a pair, at most. */
  readonly perPair: number;
  /** Those of pair `i` stand from `starts[i]` to `starts[i + 1]`, the hardest first. */
  readonly starts: Uint32Array;
  readonly pairs: Uint32Array;
}

/** @throws UserError `input.unreadable` where there is no such file */
export async function requireFile(file: string): Promise<string> {
  await access(file).catch((error: unknown) => {
    throw new UserError("input.unreadable", `${file}: expected a file of negatives, got ${errnoOf(error)}`, {
      fix: "Make it with lodestone corpus mine, or take training.negatives out",
      cause: error,
    });
  });
  return file;
}

/**
 * Negatives of a file. Pairs that are not among the tokenised ones are passed over: the file may be of a larger corpus.
 *
 * @throws UserError `negatives.mismatch` where no line is of these pairs, and those of `readNegatives`
 */
export async function readMined(
  { file, perPair }: { readonly file: string; readonly perPair: number },
  { ids }: Pick<PairTokens, "ids">,
): Promise<Negatives> {
  const negatives = await collectNegatives(readNegatives(file), ids, perPair);
  if (negatives.pairs.length > 0) return negatives;
  throw new UserError("negatives.mismatch", `${file}: expected negatives of this corpus's pairs, got none of them`, {
    fix: "Mine them from this corpus: lodestone corpus mine",
  });
}

/** Lines as {@link Negatives}. */
export async function collectNegatives(
  lines: AsyncIterable<MinedLine>,
  ids: Float64Array,
  perPair: number,
): Promise<Negatives> {
  const numberOf = new Map<number, number>();
  ids.forEach((id, pair) => numberOf.set(id, pair));
  const found = new Map<number, number[]>();
  let total = 0;
  for await (const { id, negatives } of lines) {
    const pair = numberOf.get(idNumber(id));
    if (pair === undefined) continue;
    const own = negatives.flatMap(([other]) => numberOf.get(idNumber(other)) ?? []);
    found.set(pair, own);
    total += own.length;
  }
  const starts = new Uint32Array(ids.length + 1);
  const pairs = new Uint32Array(total);
  for (let pair = 0; pair < ids.length; pair++) {
    const own = found.get(pair) ?? [];
    pairs.set(own, starts[pair]);
    starts[pair + 1] = starts[pair]! + own.length;
  }
  return { perPair, starts, pairs };
}

/** The items of an epoch that show the negatives of an item's pair, each pair's first. */
export function negativeItems({ starts, pairs }: Negatives, items: EpochItems): (item: number) => number[] {
  const itemOf = new Int32Array(starts.length - 1).fill(-1);
  for (let item = items.pairs.length - 1; item >= 0; item--) itemOf[items.pairs[item]!] = item;
  return (item) => {
    const pair = items.pairs[item]!;
    return Array.from(pairs.subarray(starts[pair], starts[pair + 1]), (negative) => itemOf[negative]!).filter(
      (negative) => negative >= 0,
    );
  };
}
