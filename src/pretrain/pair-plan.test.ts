import { expect, test } from "vitest";
import { Rng } from "../base/index.js";
import { planEpoch, type PlannedPairs } from "./pair-plan.js";

const rng = Rng.fromSeed(5);

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
  const { batches, left } = planEpoch(pairs, shape, rng, 0);
  const used = batches.flatMap((batch) => [...batch]);
  expect(new Set(used).size).toBe(used.length);
  expect(used.length + left).toBe(shape.count);
  expect(left).toBeLessThan(2 * shape.batch); // a rest, and what waits for a batch without its twin
  for (const batch of batches) {
    expect(batch.length).toBe(shape.batch);
    const keys = [...batch].flatMap((pair) => [...new Set(pairs.keys(pair))]);
    expect(new Set(keys).size).toBe(keys.length);
  }
});

test("pools sort by length: batches are narrow; without pools they are not", () => {
  const pairs = pairsOf(
    Array.from({ length: 1600 }, (_, i) => (i * 37) % 100),
    (pair) => [pair],
  );
  const spread = (pool: number): number => {
    const { batches } = planEpoch(pairs, { batch: 16, pool }, rng, 0);
    const widths = batches.map((batch) => {
      const lengths = [...batch].map((pair) => pairs.length(pair));
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
