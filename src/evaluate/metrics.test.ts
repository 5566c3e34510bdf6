import { expect, test } from "vitest";
import { mt19937, numpyPermutation } from "./_numpy-permutation.js";
import { round4 } from "./_round.js";
import {
  accuracy,
  averagePrecision,
  macroF1,
  ndcgAt,
  rankingMetrics,
  ranksOf,
  recallAt,
  reciprocalRank,
} from "./index.js";

test("the docstring's example, worked by hand", () => {
  const ranks = [2, 5];
  expect(reciprocalRank(ranks)).toBe(0.5);
  expect(averagePrecision(ranks)).toBeCloseTo(0.45, 12);
  expect(recallAt(ranks, 4)).toBe(0.5);
  // 1/log2(3) = 0.63093, 1/log2(6) = 0.38685; ideal 1 + 0.63093
  expect(ndcgAt(ranks, 10)).toBeCloseTo((0.6309298 + 0.3868528) / 1.6309298, 6);
});

test("cut-offs: what lies past them counts nothing", () => {
  expect(reciprocalRank([11], 10)).toBe(0);
  expect(reciprocalRank([1001], 1000)).toBe(0);
  expect(reciprocalRank([1000], 1000)).toBe(0.001);
  expect(ndcgAt([11], 10)).toBe(0);
  expect(rankingMetrics([1, 12])).toMatchObject({ MRR: 1, "R@10": 0.5, "hit@1": 1, MAP: (1 + 2 / 12) / 2 });
  // Twelve relevant documents at ranks 1 .. 12: the ideal holds ten places only.
  const twelve = Array.from({ length: 12 }, (_, i) => i + 1);
  expect(rankingMetrics(twelve)["NDCG@10"]).toBeCloseTo(1, 12);
  expect(rankingMetrics(twelve)["R@10"]).toBeCloseTo(10 / 12, 12);
});

test("ranks count what is above, and equals by their place in the given order", () => {
  const scores = [0.5, 0.9, 0.5, 0.1, 0.5];
  expect([...ranksOf(scores, [0, 3], [0, 1, 2, 3, 4])]).toEqual([2, 5]);
  expect([...ranksOf(scores, [0], [4, 1, 2, 3, 0])]).toEqual([4]); // documents 2 and 4 come before it among equals
  expect([...ranksOf([-Infinity, 1, -Infinity], [2], [0, 1, 2])]).toEqual([3]);
});

test("macro-F1 by hand", () => {
  // a: TP 1, FP 0, FN 1 -> 2/3; b: TP 1, FP 1, FN 0 -> 2/3; c: expected once, never found -> 0; d: only predicted -> 0
  expect(macroF1(["a", "a", "b"], ["a", "b", "b"])).toBeCloseTo(2 / 3, 12);
  expect(macroF1(["a", "a", "b", "c"], ["a", "b", "b", "d"])).toBeCloseTo((2 / 3 + 2 / 3) / 4, 12);
  expect(accuracy(["a", "a", "b", "c"], ["a", "b", "b", "d"])).toBe(0.5);
});

test("MT19937 gives the numbers its authors published for seed 5489", () => {
  const next = mt19937(5489);
  expect([next(), next(), next()]).toEqual([3499211612, 581869302, 3890346734]);
  for (let i = 4; i < 10_000; i++) next();
  expect(next()).toBe(4123659995); // the 10,000th, as the C++ standard states it for std::mt19937
});

test("permutations are NumPy's", () => {
  // numpy 2.4.6: RandomState(0).permutation(10), RandomState(0).permutation(1000)[:5] and [-3:], RandomState(1).permutation(6)
  expect([...numpyPermutation(10, 0)]).toEqual([2, 8, 4, 9, 1, 6, 7, 3, 0, 5]);
  const thousand = numpyPermutation(1000, 0);
  expect([...thousand.slice(0, 5)]).toEqual([993, 859, 298, 553, 672]);
  expect([...thousand.slice(-3)]).toEqual([629, 559, 684]);
  expect([...numpyPermutation(6, 1)]).toEqual([2, 1, 4, 0, 3, 5]);
});

test("rounding is Python's, ties to even", () => {
  expect(round4(0.03125)).toBe(0.0312);
  expect(round4(0.09375)).toBe(0.0938);
  expect(round4(2 / 3)).toBe(0.6667);
  expect(round4(1)).toBe(1);
});
