import { describe, expect, test } from "vitest";
import { cosineHistograms, geometryOf } from "./geometry.js";
import { Rng } from "./rng.js";

function unitRows(rows: readonly (readonly number[])[]): Float32Array {
  return Float32Array.from(
    rows.flatMap((row) => {
      const length = Math.hypot(...row);
      return row.map((x) => x / length);
    }),
  );
}

function random(n: number, width: number, seed: number, offset = 0): Float32Array {
  const rng = Rng.fromSeed(seed);
  return unitRows(
    Array.from({ length: n }, (_, i) =>
      Array.from({ length: width }, (_, k) => rng.split(i).split(k).normal() + offset),
    ),
  );
}

describe("geometry of pairs", () => {
  test("by hand: two pairs in the plane", async () => {
    // Side a: 0 and 90 degrees; side b: 0 and 180 degrees.
    const a = unitRows([
      [1, 0],
      [0, 1],
    ]);
    const b = unitRows([
      [1, 0],
      [-1, 0],
    ]);
    const found = await geometryOf(a, b, 2);
    expect(found.alignment).toBeCloseTo((0 + 2) / 2, 6);
    expect(found.meanCosine).toBeCloseTo((0 - 1) / 2, 6);
    expect(found.uniformity).toBeCloseTo(Math.log((Math.exp(-4) + Math.exp(-8)) / 2), 6);
    // Columns: x holds 1, 0, 1, -1 (length sqrt 3), y one 1, and they are orthogonal.
    const [p, q] = [Math.sqrt(3), 1].map((value) => value / (Math.sqrt(3) + 1)) as [number, number];
    expect(found.effectiveRank).toBeCloseTo(Math.exp(-p * Math.log(p) - q * Math.log(q)), 6);
  });

  test("vectors that all point one way have rank 1, cosine 1, the worst uniformity", async () => {
    const same = unitRows(Array.from({ length: 5 }, () => [1, 2, 3, 4]));
    const found = await geometryOf(same, same, 4);
    expect(found.effectiveRank).toBeCloseTo(1, 3);
    expect(found.meanCosine).toBeCloseTo(1, 5);
    expect(found.uniformity).toBeCloseTo(0, 4);
    expect(found.alignment).toBe(0);
  });

  test("random directions use nearly all of them; a common offset takes rank away", async () => {
    const free = await geometryOf(random(200, 16, 1), random(200, 16, 2), 16);
    const pushed = await geometryOf(random(200, 16, 1, 2), random(200, 16, 2, 2), 16);
    expect(free.effectiveRank).toBeGreaterThan(15.5);
    expect(free.effectiveRank).toBeLessThanOrEqual(16 + 1e-6);
    expect(pushed.effectiveRank).toBeLessThan(free.effectiveRank - 1);
    expect(pushed.meanCosine).toBeGreaterThan(free.meanCosine + 0.5);
    expect(pushed.uniformity).toBeGreaterThan(free.uniformity);
  });
});

test("every cosine falls into one bin: pairs apart from the rest, the ends included", () => {
  const a = unitRows([
    [1, 0],
    [0, 1],
  ]);
  const {
    from,
    positive,
    random: rest,
  } = cosineHistograms(
    a,
    unitRows([
      [1, 0],
      [0, -1],
    ]),
    2,
    4,
  );
  expect(from).toEqual([-1, -0.5, 0, 0.5]);
  expect(positive).toEqual([1, 0, 0, 1]); // 180 degrees, 0 degrees.
  expect(rest).toEqual([0, 0, 2, 0]); // 90 degrees twice.
});
