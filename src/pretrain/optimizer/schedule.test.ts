import { describe, expect, test } from "vitest";
import { warmupConstant, warmupCosine, warmupLinear } from "./schedule.js";

describe("warmupLinear", () => {
  test("worked by hand: two steps up, four down", () => {
    const rate = warmupLinear({ peak: 1, warmup: 2, total: 6 });
    expect([0, 1, 2, 3, 4, 5].map(rate)).toEqual([0.5, 1, 1, 0.75, 0.5, 0.25]);
    expect(rate(6)).toBe(0);
    expect(rate(60)).toBe(0);
  });

  test("a floor is what is left of the peak at the end", () => {
    const rate = warmupLinear({ peak: 0.2, warmup: 0, total: 4, floor: 0.5 });
    [0.2, 0.175, 0.15, 0.125, 0.1, 0.1].forEach((value, step) => expect(rate(step)).toBeCloseTo(value, 12));
  });

  test("the paper's stage 1: 250k steps, 5k warm-up, 3e-4", () => {
    const rate = warmupLinear({ peak: 3e-4, warmup: 5000, total: 250_000 });
    expect(rate(0)).toBeCloseTo(3e-4 / 5000, 15);
    expect(rate(4999)).toBeCloseTo(3e-4, 15);
    expect(rate(127_500)).toBeCloseTo(1.5e-4, 15);
  });

  test("warm-up through the whole run ends at the peak", () => {
    expect([0, 1].map(warmupLinear({ peak: 1, warmup: 2, total: 2 }))).toEqual([0.5, 1]);
  });

  test.each([
    { peak: 0, warmup: 0, total: 1 },
    { peak: 1, warmup: 2, total: 1 },
    { peak: 1, warmup: 0, total: 0 },
    { peak: 1, warmup: 0, total: 1, floor: 2 },
    { peak: Number.NaN, warmup: 0, total: 1 },
  ])("refuses %o", (options) => {
    expect(() => warmupLinear(options)).toThrow(/schedule: expected/);
  });
});

test("cosine, by hand: peak, quarter, half, three quarters of the way down to the floor", () => {
  const rate = warmupCosine({ peak: 2, warmup: 1, total: 5, floor: 0.5 });
  const quarter = (1 + Math.SQRT1_2) / 2;
  [2, 2, 1 + quarter, 1.5, 2 - quarter, 1, 1].forEach((value, step) => expect(rate(step)).toBeCloseTo(value, 12));
});

test("constant stays at the peak after its warm-up", () => {
  expect([0, 1, 2, 3, 9].map(warmupConstant({ peak: 1, warmup: 2, total: 4 }))).toEqual([0.5, 1, 1, 1, 1]);
});
