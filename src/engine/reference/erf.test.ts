import { expect, test } from "vitest";
import { erf } from "./kernels/elementwise.js";

test("erf against the table of Abramowitz and Stegun 7.1", () => {
  const table: [number, number][] = [
    [0, 0],
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
  ];
  for (const [x, value] of table) {
    expect(erf(x)).toBeCloseTo(value, 14);
    expect(erf(-x)).toBeCloseTo(-value, 14);
  }
  expect(erf(10)).toBe(1);
});
