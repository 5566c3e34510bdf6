import { describe, expect, test } from "vitest";
import { Rng } from "../base/index.js";
import { planEpoch, type EpochPlan, type PlannedPairs } from "./pair-plan.js";

const rng = Rng.fromSeed(5);

function rowsOf({ batches }: EpochPlan): number[][] {
  return batches.map(({ items }) => [...items]);
}

function pairsOf(lengths: readonly number[], keys: (pair: number) => readonly number[]): PlannedPairs {
  return { count: lengths.length, length: (pair) => lengths[pair]!, keys };
}

/** Lengths 1..100 at random, every key given to about three pairs. */
function randomPairs(count: number): PlannedPairs {
  const draw = rng.split("pairs", count);
  const lengths = Array.from({ length: count }, () => 1 + draw.int(100));
  const keys = Array.from({ length: count }, () => [2 * draw.int(count), 2 * draw.int(count) + 1]);
  return pairsOf(lengths, (pair) => keys[pair]!);
}

test.each([
  { count: 1000, batch: 16, pool: 8 },
  { count: 1000, batch: 16, pool: 1 },
  { count: 100, batch: 32, pool: 16 },
  { count: 37, batch: 5, pool: 3 },
])("$count pairs, batches of $batch, pools of $pool: whole, without repetition or duplicates", (shape) => {
  const pairs = randomPairs(shape.count);
  const plan = planEpoch(pairs, shape, rng, 0);
  const { left } = plan;
  const batches = rowsOf(plan);
  const used = batches.flat();
  expect(new Set(used).size).toBe(used.length);
  expect(used.length + left).toBe(shape.count);
  expect(left).toBeLessThan(2 * shape.batch); // a rest, and what waits for a batch without its twin
  for (const batch of batches) {
    expect(batch.length).toBe(shape.batch);
    const keys = batch.flatMap((pair) => [...new Set(pairs.keys(pair))]);
    expect(new Set(keys).size).toBe(keys.length);
  }
});

test("pools sort by length: batches are narrow; without pools they are not", () => {
  const pairs = pairsOf(
    Array.from({ length: 1600 }, (_, i) => (i * 37) % 100),
    (pair) => [pair],
  );
  const spread = (pool: number): number => {
    const batches = rowsOf(planEpoch(pairs, { batch: 16, pool }, rng, 0));
    const widths = batches.map((batch) => {
      const lengths = batch.map((pair) => pairs.length(pair));
      return Math.max(...lengths) - Math.min(...lengths);
    });
    return widths.reduce((a, b) => a + b) / widths.length;
  };
  expect(spread(50)).toBeLessThan(5);
  expect(spread(1)).toBeGreaterThan(80);
});

test("a pure function of key and epoch", () => {
  const pairs = randomPairs(200);
  const shape = { batch: 8, pool: 4 };
  expect(planEpoch(pairs, shape, rng, 3)).toEqual(planEpoch(pairs, shape, rng, 3));
  expect(planEpoch(pairs, shape, rng, 4).batches).not.toEqual(planEpoch(pairs, shape, rng, 3).batches);
});

test("one summary for all: no batch can be filled", () => {
  const same = pairsOf([1, 2, 3, 4], () => [7]);
  expect(planEpoch(same, { batch: 2, pool: 2 }, rng, 0)).toEqual({ batches: [], left: 4 });
});

test("an item that waits for another batch is counted there", () => {
  const twins = pairsOf([1, 1, 1, 1], (pair) => [pair >> 1]); // 0 and 1 share a key, 2 and 3 another
  const { batches, left } = planEpoch(twins, { batch: 2, pool: 2 }, rng, 0);
  expect(left).toBe(0);
  for (const { items } of batches) expect(new Set([...items].map((pair) => pair >> 1)).size).toBe(2);
  const orders = Array.from({ length: 40 }, (_, epoch) => planEpoch(twins, { batch: 2, pool: 2 }, rng, epoch));
  // The first two items are twins in a third of the orders; then the second one is put off, once.
  const waited = orders.filter((plan) => plan.batches.some(({ deferred }) => deferred > 0)).length;
  expect(waited).toBeGreaterThan(5);
  expect(waited).toBeLessThan(25);
});

describe("languages", () => {
  // 600 items of language 0, 300 of language 1, 20 of language 2, which fills no batch of 32.
  const languageOf = (item: number): number => (item < 600 ? 0 : item < 900 ? 1 : 2);
  const items: PlannedPairs = {
    ...pairsOf(
      Array.from({ length: 920 }, (_, i) => 1 + ((i * 37) % 100)),
      (item) => [item],
    ),
    language: languageOf,
  };
  const shape = { batch: 32, pool: 4 };
  const kinds = (plan: EpochPlan): string[] =>
    rowsOf(plan).map((batch) => {
      const found = new Set(batch.map(languageOf));
      return found.size === 1 ? `only ${[...found][0]}` : "mixed";
    });

  test("same-language: one in each, in random order; what fills no batch is left", () => {
    const plan = planEpoch(items, { ...shape, batches: "same-language" }, rng, 0);
    const found = kinds(plan);
    expect(found.filter((kind) => kind === "only 0")).toHaveLength(18); // 600 / 32
    expect(found.filter((kind) => kind === "only 1")).toHaveLength(9);
    expect(found).toHaveLength(27);
    expect(plan.left).toBe(920 - 27 * 32);
    expect(found.slice(0, 18)).toContain("only 1");
    expect(found.slice(18)).toContain("only 0");
  });

  test("alternating: by turns; nothing is lost but a rest", () => {
    const plan = planEpoch(items, { ...shape, batches: "alternating" }, rng, 0);
    const found = kinds(plan);
    expect(plan.left).toBeLessThan(32);
    const apart = found.filter((kind) => kind !== "mixed").length;
    expect(apart).toBeGreaterThan(10);
    expect(found.slice(0, 2 * apart).map((kind) => kind === "mixed")).toEqual(
      Array.from({ length: 2 * apart }, (_, i) => i % 2 === 0),
    );
    expect(new Set(rowsOf(plan).flat()).size).toBe(28 * 32);
  });

  test("mixed: languages meet", () => {
    expect(new Set(kinds(planEpoch(items, shape, rng, 0)))).toEqual(new Set(["mixed"]));
  });
});

describe("hard negatives", () => {
  // Item i's negatives are i + 1, i + 2 and i + 3; neighbours of one ten share a language.
  const items: PlannedPairs = {
    ...randomPairs(640),
    language: (item) => Math.floor(item / 10) % 2,
    negatives: (item) => [1, 2, 3].map((step) => (item + step) % 640),
  };
  const isNegative = (of: number, other: number): boolean => (other - of + 640) % 640 <= 3 && other !== of;
  const meets = (plan: EpochPlan): number => {
    const counts = rowsOf(plan).map(
      (batch) => batch.filter((item) => batch.some((other) => isNegative(item, other))).length,
    );
    return counts.reduce((a, b) => a + b, 0) / (32 * plan.batches.length);
  };

  test.each(["mixed", "alternating"] as const)(
    "%s: items meet theirs; all still once, without duplicates",
    (batches) => {
      const shape = { batch: 32, pool: 4, batches };
      const [without, withOne] = [0, 1].map((negatives) => planEpoch(items, { ...shape, negatives }, rng, 0));
      expect(meets(without!)).toBeLessThan(0.25); // 3 of 640 in each of 32 places: .14
      expect(meets(withOne!)).toBeGreaterThan(0.4);
      const used = rowsOf(withOne!).flat();
      expect(new Set(used).size).toBe(used.length);
      expect(used.length + withOne!.left).toBe(640);
      expect(withOne!.left).toBeLessThan(64);
      for (const batch of rowsOf(withOne!)) {
        const keys = batch.flatMap((item) => [...new Set(items.keys(item))]);
        expect(new Set(keys).size).toBe(keys.length);
      }
      const mined = withOne!.batches.reduce((sum, batch) => sum + batch.mined, 0);
      expect(mined / used.length).toBeGreaterThan(0.3);
      expect(mined / used.length).toBeLessThanOrEqual(0.5);
      expect(without!.batches.every((batch) => batch.mined === 0)).toBe(true);
    },
  );

  test("so many of each: with three, a batch is quarters", () => {
    const { batches } = planEpoch(items, { batch: 32, pool: 1, negatives: 3 }, rng, 0);
    expect(batches[0]!.mined).toBeGreaterThan(16);
  });
});

describe("length tells nothing of which code belongs to which text", () => {
  // Long functions have long summaries: the text's length is the code's, give or take a half.
  const draw = rng.split("lengths");
  const codes = Array.from({ length: 6400 }, () => 10 + draw.int(190));
  const texts = codes.map((code) => code * (0.5 + draw.uniform()));
  const items = pairsOf(codes, (item) => [item]);

  /** Spearman's correlation of text and code lengths within batches: what a matcher by length alone could use. */
  function withinBatches(pool: number): number {
    const all = rowsOf(planEpoch(items, { batch: 64, pool }, rng, 0)).map((batch) =>
      correlation(ranks(batch.map((i) => texts[i]!)), ranks(batch.map((i) => codes[i]!))),
    );
    return all.reduce((a, b) => a + b) / all.length;
  }

  test("in sorted pools it tells less than in batches at random", () => {
    expect(withinBatches(1)).toBeGreaterThan(0.7);
    expect(withinBatches(16)).toBeLessThan(0.35);
  });

  test("a row's place in its batch, and a batch's in its epoch, have nothing to do with its length", () => {
    const batches = rowsOf(planEpoch(items, { batch: 64, pool: 16 }, rng, 0));
    const rows = batches.map((batch) =>
      correlation(
        batch.map((_, row) => row),
        batch.map((i) => codes[i]!),
      ),
    );
    // 100 batches: standard error of the mean 0.0125, of a correlation over 100 batches 0.1.
    expect(Math.abs(rows.reduce((a, b) => a + b) / rows.length)).toBeLessThan(0.05);
    const means = batches.map((batch) => batch.reduce((sum, i) => sum + codes[i]!, 0));
    const trend = correlation(
      batches.map((_, i) => i),
      means,
    );
    expect(Math.abs(trend)).toBeLessThan(0.3);
  });

  function ranks(values: readonly number[]): number[] {
    const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
    const out = new Array<number>(values.length);
    order.forEach((i, rank) => (out[i] = rank));
    return out;
  }

  function correlation(a: readonly number[], b: readonly number[]): number {
    const mean = (x: readonly number[]): number => x.reduce((sum, value) => sum + value, 0) / x.length;
    const [ma, mb] = [mean(a), mean(b)];
    let [ab, aa, bb] = [0, 0, 0];
    a.forEach((x, i) => {
      ab += (x - ma) * (b[i]! - mb);
      aa += (x - ma) ** 2;
      bb += (b[i]! - mb) ** 2;
    });
    return ab / Math.sqrt(aa * bb);
  }
});
