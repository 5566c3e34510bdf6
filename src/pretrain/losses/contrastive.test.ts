import { describe, expect, test } from "vitest";
import { float32, Rng } from "../../base/index.js";
import { Graph, gradients } from "../../graph/index.js";
import { largestDifference, numbers, runGraph } from "../../../test/helpers/run-graph.js";
import { contrastiveLoss, PAPER_CONTRASTIVE, type ContrastiveOptions } from "./index.js";

type Vectors = readonly (readonly number[])[];
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

async function ours(text: Vectors, code: Vectors, options: ContrastiveOptions) {
  const dims = [text.length, text[0]!.length];
  const graph = new Graph("loss");
  const [t, c] = [graph.input("text", "float32", ["N", dims[1]!]), graph.input("code", "float32", ["N", dims[1]!])];
  const { loss, metrics } = contrastiveLoss(t, c, options);
  const [dt, dc] = gradients(loss, [t, c]);
  for (const [name, value] of Object.entries({ loss, ...metrics, dt: dt!, dc: dc! })) graph.output(name, value);
  const outputs = await runGraph(graph, { text: float32(dims, text.flat()), code: float32(dims, code.flat()) });
  const one = (name: string): number => numbers(outputs[name])[0]!;
  return {
    loss: one("loss"),
    accuracy: one("accuracy"),
    positive: one("positive_similarity"),
    hardest: one("hardest_negative_similarity"),
    gradient: [...numbers(outputs["dt"]), ...numbers(outputs["dc"])],
  };
}

/**
 * The paper's loss, letter by letter, in float64: both terms of L(i, i+), mean over the 2N anchors. `weightsFrom` gives
 * the vectors that g is computed from, so that a test can hold g still.
 */
function oracle(h: Vectors, { temperature, weighting, normalisation }: ContrastiveOptions, weightsFrom = h): number {
  const size = h.length;
  const partner = (i: number): number => (i + size / 2) % size;
  const e = (from: Vectors, i: number, k: number): number => Math.exp(dot(from[i]!, from[k]!) / temperature);
  const term = (i: number): number => {
    const negatives = Array.from({ length: size }, (_, k) => k).filter((k) => k !== i && k !== partner(i));
    const all = negatives.reduce((sum, j) => sum + e(weightsFrom, i, j), 0);
    const scale = normalisation === "paper" ? 1 : negatives.length;
    const weight = (k: number): number => (weighting === "none" ? 1 : (scale * e(weightsFrom, i, k)) / all);
    const sum = negatives.reduce((total, k) => total + weight(k) * e(h, i, k), 0);
    return -Math.log(e(h, i, partner(i)) / (e(h, i, partner(i)) + sum));
  };
  const anchors = Array.from({ length: size }, (_, i) => term(i) + term(partner(i)));
  return anchors.reduce((sum, x) => sum + x, 0) / size;
}

const none: ContrastiveOptions = { ...PAPER_CONTRASTIVE, weighting: "none" };
const paper = PAPER_CONTRASTIVE;
const scaled: ContrastiveOptions = { ...PAPER_CONTRASTIVE, normalisation: "scaled" };

describe("worked by hand, tau = 1", () => {
  const at1 = (options: ContrastiveOptions): ContrastiveOptions => ({ ...options, temperature: 1 });

  test("N = 2, two orthogonal pairs", async () => {
    const vectors = [
      [1, 0],
      [0, 1],
    ];
    // Each anchor: positive 1, two negatives at 0. none: log(1 + 2/e). paper: both weigh 1/2, so log(1 + 1/e).
    // An anchor's L has two such terms.
    expect((await ours(vectors, vectors, at1(none))).loss).toBeCloseTo(1.102889, 5);
    expect((await ours(vectors, vectors, at1(paper))).loss).toBeCloseTo(0.626523, 5);
    expect((await ours(vectors, vectors, at1(scaled))).loss).toBeCloseTo(1.102889, 5);
    const { accuracy, positive, hardest } = await ours(vectors, vectors, at1(paper));
    expect([accuracy, positive, hardest]).toEqual([1, 1, 0]);
  });

  test("N = 3, pairs at east, north and west", async () => {
    const vectors = [
      [1, 0],
      [0, 1],
      [-1, 0],
    ];
    // East and west: positive 1, negatives 0, 0, -1, -1: sum of e^s = 2 + 2/e = 2.735759, of e^2s = 2.270671,
    // so sum of g e^s = 0.829997. North: four negatives at 0, so 1.
    const [side, north] = [Math.log(1 + 0.829997 / Math.E), Math.log(1 + 1 / Math.E)];
    expect((await ours(vectors, vectors, at1(paper))).loss).toBeCloseTo((2 * (2 * side + north)) / 3, 5);
    const plain = [Math.log(1 + 2.735759 / Math.E), Math.log(1 + 4 / Math.E)] as const;
    expect((await ours(vectors, vectors, at1(none))).loss).toBeCloseTo((2 * (2 * plain[0] + plain[1])) / 3, 5);
  });

  test("metrics: three of four anchors right", async () => {
    // Texts east and north, codes east and north-east (r = cos 45 degrees). Hardest negatives: east text r (the other
    // code), north text 0, east code r, north-east code r, which is not less than its own text's r.
    const r = Math.SQRT1_2;
    const { accuracy, positive, hardest } = await ours(
      [
        [1, 0],
        [0, 1],
      ],
      [
        [1, 0],
        [r, r],
      ],
      at1(paper),
    );
    expect(accuracy).toBeCloseTo(0.75, 6);
    expect(positive).toBeCloseTo((1 + r) / 2, 6);
    expect(hardest).toBeCloseTo((3 * r) / 4, 6);
  });
});

describe("against the equation in float64, tau = 0.05", () => {
  const rng = Rng.fromSeed(9);
  const unit = (): number[] => {
    const v = Array.from({ length: 6 }, () => rng.normal());
    return v.map((x) => x / Math.hypot(...v));
  };
  const text = Array.from({ length: 5 }, unit);
  // Codes near their texts, so that losses are neither 0 nor huge.
  const code = text.map((v) => {
    const moved = v.map((x) => x + 0.5 * rng.normal());
    return moved.map((x) => x / Math.hypot(...moved));
  });
  const h = [...text, ...code];

  test.each([
    ["none", none],
    ["paper", paper],
    ["scaled", scaled],
    ["paper, detached", { ...paper, detach: true }],
    ["scaled, detached", { ...scaled, detach: true }],
  ] as const)("value and gradient: %s", async (_, options) => {
    const found = await ours(text, code, options);
    expect(found.loss).toBeCloseTo(oracle(h, options), 4);
    const step = 1e-5;
    const moved = (row: number, column: number, by: number): Vectors =>
      h.map((v, i) => (i === row ? v.map((x, j) => (j === column ? x + by : x)) : v));
    const expected = h.flatMap((v, row) =>
      v.map((_, column) => {
        const value = (by: number): number => {
          const at = moved(row, column, by);
          return oracle(at, options, options.detach ? h : at);
        };
        return (value(step) - value(-step)) / (2 * step);
      }),
    );
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.1);
    expect(largestDifference(found.gradient, expected)).toBeLessThan(2e-4);
  });

  test("detaching changes the gradient, not the value", async () => {
    const [attached, detached] = [await ours(text, code, paper), await ours(text, code, { ...paper, detach: true })];
    expect(detached.loss).toBe(attached.loss);
    expect(largestDifference(detached.gradient, attached.gradient)).toBeGreaterThan(0.01);
  });
});

describe("stability", () => {
  test.each([
    ["none", none, 2 * Math.log(7)],
    ["paper", paper, 2 * Math.log(2)],
    ["scaled", scaled, 2 * Math.log(7)],
  ] as const)("all similarities 1: %s", async (_, options, expected) => {
    const same = Array.from({ length: 4 }, () => [0.6, 0.8]);
    const { loss, gradient, accuracy } = await ours(same, same, options);
    expect(loss).toBeCloseTo(expected, 4);
    expect(gradient.every(Number.isFinite)).toBe(true);
    expect(accuracy).toBe(0);
  });

  test("a tiny temperature overflows nothing", async () => {
    const found = await ours(
      [
        [1, 0],
        [0, 1],
      ],
      [
        [0, 1],
        [1, 0],
      ],
      { ...paper, temperature: 1e-3 },
    );
    expect(found.loss).toBeCloseTo(2000, 0);
    expect(found.gradient.every(Number.isFinite)).toBe(true);
  });
});

test("sides of different shape are refused", () => {
  const graph = new Graph("bad");
  const [text, code] = [graph.input("text", "float32", ["N", 4]), graph.input("code", "float32", ["M", 4])];
  expect(() => contrastiveLoss(text, code, paper)).toThrow(
    "expected text and code [N, H] of equal shape, got [N, 4] and [M, 4]",
  );
});
