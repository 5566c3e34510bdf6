import { describe, expect, test } from "vitest";
import { openOnnx, runOnnx } from "../../test/helpers/run-onnx.js";
import { float32, int32, Rng } from "../base/index.js";
import { dropout, Graph, toOnnx, type OnnxTarget } from "./index.js";

interface MaskOptions {
  readonly shape: readonly number[];
  readonly rate?: number;
  readonly place?: number;
  readonly key?: readonly [number, number];
  readonly rows?: readonly number[];
  readonly target?: OnnxTarget;
}

/** The mask for ones, as numbers. */
async function mask({ shape, rate = 0.1, place = 0, key = [1, 2], rows, target = "standard" }: MaskOptions) {
  const graph = new Graph("dropout");
  const x = graph.input("x", "float32", ["R", ...shape.slice(1)]);
  const [keys, ids] = [graph.input("key", "int32", [2]), graph.input("rows", "int32", ["R"])];
  graph.output("y", dropout(x, { rate, place, key: keys, rows: ids }));
  const size = shape.reduce((product, dim) => product * dim, 1);
  const { y } = await runOnnx(toOnnx(graph, { target }), {
    x: float32(shape, new Float32Array(size).fill(1)),
    key: int32([2], key),
    rows: int32([shape[0]!], rows ?? Array.from({ length: shape[0]! }, (_, row) => row)),
  });
  return y!.data as Float32Array;
}

/** The specification once more, in 32-bit JavaScript arithmetic. */
function expected({ shape, rate = 0.1, place = 0, key = [1, 2], rows }: MaskOptions): number[] {
  const mix = (x: number): number => {
    let h = x >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x21f0aaad) >>> 0;
    h = Math.imul(h ^ (h >>> 15), 0x7feb352d) >>> 0;
    return (h ^ (h >>> 15)) >>> 0;
  };
  const seed = mix(mix(key[0]) + key[1]);
  const columnSeed = mix(seed + 0x9e3779b9);
  const middle = shape.slice(1, -1);
  const result: number[] = [];
  const visit = (hash: number, axis: number): void => {
    if (axis === middle.length) {
      for (let column = 0; column < shape.at(-1)!; column++) {
        const product = Math.imul(mix(hash + mix(place)) | 1, mix(columnSeed + column) | 1);
        result.push(product >= Math.round(rate * 2 ** 32) - 2 ** 31 ? Math.fround(1 / (1 - rate)) : 0);
      }
    } else for (let at = 0; at < middle[axis]!; at++) visit(mix(hash + at), axis + 1);
  };
  for (let row = 0; row < shape[0]!; row++) visit(mix(seed + (rows?.[row] ?? row)), 0);
  return result;
}

/** Pearson's correlation of two masks as 0/1. */
function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const mean = (x: ArrayLike<number>): number =>
    Array.from(x, (v) => (v > 0 ? 1 : 0)).reduce((s: number, v) => s + v, 0) / x.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    const [x, y] = [(a[at]! > 0 ? 1 : 0) - ma, (b[at]! > 0 ? 1 : 0) - mb];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
}

describe("the dropout mask", () => {
  const cases: readonly MaskOptions[] = [
    { shape: [3, 7] },
    { shape: [2, 3, 5, 4], rate: 0.5, place: 9, key: [-1, 2 ** 31 - 1], rows: [70_000, -5] },
    { shape: [4, 6, 8], rate: 0.25, key: [-(2 ** 31), 0] },
  ];
  test.each(cases)("is the specified one: %j", async (options) => {
    expect([...(await mask(options))]).toEqual(expected(options));
    expect([...(await mask({ ...options, target: "onnxruntime" }))]).toEqual(expected(options));
  });

  test.each([0.1, 0.5, 0.9])("keeps 1 - %d of the elements, and the sum", async (rate) => {
    const values = await mask({ shape: [1000, 1000], rate });
    const kept = values.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0) / 1e6;
    // Five standard deviations of independent draws.
    expect(Math.abs(kept - (1 - rate))).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / 1e6));
    expect(values.every((value) => value === 0 || value === Math.fround(1 / (1 - rate)))).toBe(true);
  });

  test("every row and every column keeps about 1 - rate", async () => {
    const n = 1024;
    const values = await mask({ shape: [n, n] });
    const deviation = Math.sqrt(0.09 / n);
    const rows = Array.from({ length: n }, (_, row) => values.subarray(row * n, (row + 1) * n));
    const columns = Array.from({ length: n }, (_, column) => rows.map((row) => row[column]!));
    for (const lines of [rows, columns]) {
      const shares = lines.map((line) => Array.from(line).filter((value) => value > 0).length / n);
      const variance = shares.reduce((sum, share) => sum + (share - 0.9) ** 2, 0) / n;
      // The spread between lines is that of independent draws: between 0.8 and 1.25 of the binomial variance.
      expect(variance / deviation ** 2).toBeGreaterThan(0.8);
      expect(variance / deviation ** 2).toBeLessThan(1.25);
      expect(Math.max(...shares.map((share) => Math.abs(share - 0.9)))).toBeLessThan(6 * deviation);
    }
  });

  test("rows, columns and the corners of rectangles are not correlated", async () => {
    const n = 512;
    const values = await mask({ shape: [n, n] });
    // Masks of two places share the hashes of their columns; their rectangles must not show it.
    const elsewhere = await mask({ shape: [n, n], place: 1 });
    const rng = Rng.fromSeed(3);
    const pick = (): number => Math.floor(rng.uniform() * n);
    let [rowSum, columnSum, cornerSum, placeSum] = [0, 0, 0, 0];
    const trials = 400;
    const centred = (row: number, column: number, from = values): number => (from[row * n + column]! > 0 ? 1 : 0) - 0.9;
    for (let trial = 0; trial < trials; trial++) {
      const [a, b] = [pick(), pick()];
      if (a === b) continue;
      rowSum += correlation(values.subarray(a * n, a * n + n), values.subarray(b * n, b * n + n)) ** 2;
      const column = (c: number): Float32Array => Float32Array.from({ length: n }, (_, row) => values[row * n + c]!);
      columnSum += correlation(column(a), column(b)) ** 2;
    }
    const corners = 400_000;
    for (let trial = 0; trial < corners; trial++) {
      const [a, b, c, d] = [pick(), pick(), pick(), pick()];
      if (a === b || c === d) continue;
      const first = centred(a, c) * centred(a, d);
      cornerSum += first * centred(b, c) * centred(b, d);
      placeSum += first * centred(b, c, elsewhere) * centred(b, d, elsewhere);
    }
    // Independent lines of length n have a mean squared correlation of 1 / n.
    expect((rowSum / trials) * n).toBeLessThan(1.4);
    expect((columnSum / trials) * n).toBeLessThan(1.4);
    // A product of four independent centred values has mean 0 and standard deviation 0.09^2.
    for (const sum of [cornerSum, placeSum]) {
      expect(Math.abs(sum / corners)).toBeLessThan((5 * 0.0081) / Math.sqrt(corners));
    }
  });

  test("another place, key or row id is another mask", async () => {
    const base = await mask({ shape: [256, 256] });
    const others: readonly Partial<MaskOptions>[] = [
      { place: 1 },
      { key: [2, 2] },
      { key: [1, 3] },
      { key: [2, 1] },
      { rows: Array.from({ length: 256 }, (_, row) => row + 256) },
    ];
    for (const other of others) {
      const values = await mask({ shape: [256, 256], ...other });
      expect(Math.abs(correlation(base, values))).toBeLessThan(5 / 256);
    }
  });

  test("goes with the global row, not with the place in a chunk", async () => {
    const whole = await mask({ shape: [4, 3, 5] });
    const part = await mask({ shape: [2, 3, 5], rows: [3, 1] });
    expect([...part]).toEqual([...whole.slice(45, 60), ...whole.slice(15, 30)]);
  });

  test("two threads make the same mask", async () => {
    const graph = new Graph("dropout");
    const x = graph.input("x", "float32", [64, 4096]);
    const [key, rows] = [graph.input("key", "int32", [2]), graph.input("rows", "int32", [64])];
    graph.output("y", dropout(x, { rate: 0.1, place: 0, key, rows }));
    const feeds = {
      x: float32([64, 4096], new Float32Array(64 * 4096).fill(1)),
      key: int32([2], [5, 6]),
      rows: int32(
        [64],
        Array.from({ length: 64 }, (_, row) => row),
      ),
    };
    const runs = [1, 2].map(async (threads) => {
      const session = await openOnnx(toOnnx(graph), { intraOpNumThreads: threads });
      const { y } = await session.run(feeds);
      await session.close();
      return y!.data;
    });
    const [one, two] = await Promise.all(runs);
    expect(one).toEqual(two);
  });
});
