import { describe, expect, test } from "vitest";
import {
  addDims,
  broadcastShapes,
  canonical,
  divideDims,
  evaluateDim,
  multiplyDims,
  subtractDims,
  termsOf,
} from "./index.js";

describe("dimensions", () => {
  test("have one canonical form", () => {
    expect(canonical("T*B")).toBe("B*T");
    expect(canonical("2*3")).toBe(6);
    expect(canonical("B + B")).toBe("2*B");
    expect(canonical("T*2*B-1+T")).toBe("2*B*T+T-1");
    expect(canonical("N-N")).toBe(0);
  });

  test("multiply, add and subtract", () => {
    expect(multiplyDims("B", "T", 2)).toBe("2*B*T");
    expect(multiplyDims("T-1", "B")).toBe("B*T-B");
    expect(addDims("N", "N")).toBe("2*N");
    expect(addDims("A", "B", 3)).toBe("A+B+3");
    expect(subtractDims("2*N", "N")).toBe("N");
    expect(subtractDims(5, "N")).toBe("-N+5");
    expect(canonical("-N+5")).toBe("-N+5");
  });

  test("divide exactly, or not at all", () => {
    expect(divideDims("256*B*T", "4*T")).toBe("64*B");
    expect(divideDims("256*A+256*B", 256)).toBe("A+B");
    expect(divideDims("B*T-B", "B")).toBe("T-1");
    expect(divideDims(12, 4)).toBe(3);
    expect(divideDims(0, 4)).toBe(0);
    for (const [dividend, divisor] of [
      ["4*A+2*B", 4],
      ["A*B+A", "B"],
      [12, 5],
      [12, 0],
    ] as const) {
      expect(divideDims(dividend, divisor)).toBeUndefined();
    }
  });

  test("have a value once their symbols have", () => {
    const symbols = new Map([
      ["B", 3],
      ["T", 5],
    ]);
    expect(evaluateDim("2*B*T+T-1", symbols)).toBe(34);
    expect(evaluateDim(7, symbols)).toBe(7);
    expect(() => evaluateDim("B*X", symbols)).toThrow("symbol X of B*X has no value");
    expect(termsOf("2*B*T-1")).toEqual([
      { coefficient: 2, symbols: ["B", "T"] },
      { coefficient: -1, symbols: [] },
    ]);
  });

  test("refuse what is neither number nor symbol", () => {
    expect(() => canonical("B/2")).toThrow('expected a number or a symbol, got "B/2"');
  });

  test("broadcast as in NumPy", () => {
    expect(broadcastShapes(["B", 1, 4], ["T", 1])).toEqual(["B", "T", 4]);
    expect(broadcastShapes(["B", 4], ["T", 4])).toBeUndefined();
    expect(broadcastShapes([], [2, 3])).toEqual([2, 3]);
  });
});
