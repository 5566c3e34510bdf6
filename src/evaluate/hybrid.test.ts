import { expect, test } from "vitest";
import { hybrid } from "./hybrid.js";
import type { ScoreBlock } from "./retrieval.js";

const fixed =
  (rows: number[][]): ScoreBlock =>
  (from, to, out) =>
    out.set(rows.slice(from, to).flat());

test("z-scores by hand; a score that is the same everywhere says nothing", () => {
  const first = fixed([
    [1, 2, 3],
    [5, 5, 5],
  ]);
  const second = fixed([
    [30, 10, 20],
    [0, 0, 100],
  ]);
  const out = new Float32Array(6);
  hybrid(first, second, 3, 0.75)(0, 2, out);
  const z = Math.sqrt(1.5); // (3 - 2) over a deviation of sqrt(2/3)
  const expected = [
    -0.75 * z + 0.25 * z,
    -0.25 * z,
    0.75 * z,
    -0.25 / Math.SQRT2,
    -0.25 / Math.SQRT2,
    0.5 / Math.SQRT2,
  ];
  expect([...out]).toEqual(expected.map((value) => expect.closeTo(value, 6) as number));
  const last = new Float32Array(3);
  hybrid(first, second, 3, 0.75)(1, 2, last);
  expect([...last]).toEqual([...out.subarray(3)]);
});
