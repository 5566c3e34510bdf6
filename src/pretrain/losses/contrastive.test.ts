import { describe, expect, test } from "vitest";
import { float32, int32, Rng } from "../../base/index.js";
import { Graph, gradients, type Value } from "../../graph/index.js";
import { largestDifference, numbers, runGraph } from "../../../test/helpers/run-graph.js";
import { contrastiveLoss, PAPER_CONTRASTIVE, type ContrastiveOptions } from "./index.js";

type Vectors = readonly (readonly number[])[];
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/** Numbers of equal texts and of equal codes. */
type Groups = readonly [first: readonly number[], second: readonly number[]];

/** Loss, metrics and gradient; in blocks of so many anchors, added up, where `block` is given. */
async function ours(text: Vectors, code: Vectors, options: ContrastiveOptions, groups?: Groups, block?: number) {
  const [count, width] = [text.length, text[0]!.length];
  const graph = new Graph("loss");
  const [t, c] = [graph.input("text", "float32", ["N", width]), graph.input("code", "float32", ["N", width])];
  const learned = typeof options.temperature !== "number";
  const logTemperature = learned ? graph.input("log_temperature", "float32", [1]) : undefined;
  const numbered = (name: string): Value => graph.input(name, "int32", ["N"]);
  const { loss, metrics } = contrastiveLoss(t, c, options, {
    logTemperature,
    groups: groups === undefined ? undefined : [numbered("text_group"), numbered("code_group")],
    anchors: block === undefined ? undefined : graph.input("anchors", "int32", ["B"]),
  });
  const found = gradients(loss, learned ? [t, c, logTemperature!] : [t, c]);
  for (const [name, value] of Object.entries({ loss, ...metrics })) graph.output(name, value);
  found.forEach((value, index) => graph.output(`gradient ${index}`, value));
  const inputs = {
    text: float32([count, width], text.flat()),
    code: float32([count, width], code.flat()),
    ...(learned ? { log_temperature: float32([1], [Math.log(options.temperature.learn)]) } : {}),
    ...(groups && { text_group: int32([count], groups[0]), code_group: int32([count], groups[1]) }),
  };
  const sums: Record<string, number[]> = {};
  const size = block ?? 2 * count;
  for (let start = 0; start < 2 * count; start += size) {
    const anchors = Array.from({ length: Math.min(size, 2 * count - start) }, (_, i) => start + i);
    const given = block === undefined ? inputs : { ...inputs, anchors: int32([anchors.length], anchors) };
    for (const [name, value] of Object.entries(await runGraph(graph, given))) {
      sums[name] = numbers(value).map((x, i) => x + (sums[name]?.[i] ?? 0));
    }
  }
  const one = (name: string): number => sums[name]![0]!;
  return {
    sums,
    loss: one("loss"),
    accuracy: one("accuracy"),
    positive: one("positive_similarity"),
    hardest: one("hardest_negative_similarity"),
    gradient: [...sums["gradient 0"]!, ...sums["gradient 1"]!],
  };
}

interface OracleInputs {
  /** The vectors that g is computed from, so that a test can hold g still. */
  readonly weightsFrom?: Vectors;
  readonly groups?: Groups;
  readonly tau?: number;
}

/** The paper's loss, letter by letter, in float64: both terms of L(i, i+), mean over the 2N anchors. */
function oracle(h: Vectors, options: ContrastiveOptions, { weightsFrom = h, groups, tau }: OracleInputs = {}): number {
  const { temperature, weighting, normalisation, matryoshka } = options;
  if (matryoshka !== undefined) {
    return matryoshka.dims.reduce((sum, width, index) => {
      // The whole vector is taken as it comes: the encoder has made it a unit vector.
      const prefixes = (of: Vectors): Vectors => of.map((v) => (width === v.length ? v : unitOf(v.slice(0, width))));
      const inputs = { weightsFrom: prefixes(weightsFrom), ...(groups && { groups }) };
      const part = oracle(prefixes(h), { ...options, matryoshka: undefined }, inputs);
      return sum + (matryoshka.weights?.[index] ?? 1) * part;
    }, 0);
  }
  const t = tau ?? (typeof temperature === "number" ? temperature : temperature.learn);
  const [size, pairs] = [h.length, h.length / 2];
  const partner = (i: number): number => (i + pairs) % size;
  const alike = (i: number, k: number): boolean =>
    groups !== undefined && groups.some((group) => group[i % pairs] === group[k % pairs]);
  const e = (from: Vectors, i: number, k: number): number => Math.exp(dot(from[i]!, from[k]!) / t);
  const term = (i: number): number => {
    const negatives = Array.from({ length: size }, (_, k) => k).filter(
      (k) => k !== i && k !== partner(i) && !alike(i, k),
    );
    const all = negatives.reduce((sum, j) => sum + e(weightsFrom, i, j), 0);
    const scale = normalisation === "paper" ? 1 : negatives.length;
    const weight = (k: number): number => (weighting === "none" ? 1 : (scale * e(weightsFrom, i, k)) / all);
    const sum = negatives.reduce((total, k) => total + weight(k) * e(h, i, k), 0);
    return -Math.log(e(h, i, partner(i)) / (e(h, i, partner(i)) + sum));
  };
  const anchors = Array.from({ length: size }, (_, i) => term(i) + term(partner(i)));
  return anchors.reduce((sum, x) => sum + x, 0) / size;
}

const unitOf = (v: readonly number[]): number[] => v.map((x) => x / Math.hypot(...v));

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

describe("duplicates, worked by hand, tau = 1", () => {
  // Pairs 0 and 1 have the same summary. Texts and codes east, east; pair 2 north.
  const vectors = [
    [1, 0],
    [1, 0],
    [0, 1],
  ];
  const at1 = (options: ContrastiveOptions): ContrastiveOptions => ({ ...options, temperature: 1 });
  const groups: Groups = [
    [7, 7, 9],
    [1, 2, 3],
  ];

  test("a duplicate is no negative, in neither modality", async () => {
    // East anchors: positive 1, the negatives left are both of pair 2, at 0. none: log(1 + 2/e); north: four at 0,
    // log(1 + 4/e). Four east anchors, two north ones, sum over N = 3.
    const masked = await ours(vectors, vectors, at1({ ...none, duplicates: "mask" }), groups);
    expect(masked.loss).toBeCloseTo((4 * Math.log(1 + 2 / Math.E) + 2 * Math.log(1 + 4 / Math.E)) / 3, 5);
    expect(masked.accuracy).toBe(1);
    expect(masked.sums["masked_negatives"]![0]).toBeCloseTo((4 * 2) / 6, 6);
    expect(masked.sums["anchors_without_negatives"]).toEqual([0]);
    // hard, paper: g sums to 1 over those left, so 1 whatever their number; scaled: their number is a row's own.
    const paperLoss = (await ours(vectors, vectors, at1({ ...paper, duplicates: "mask" }), groups)).loss;
    expect(paperLoss).toBeCloseTo(2 * Math.log(1 + 1 / Math.E), 5);
    const scaledLoss = (await ours(vectors, vectors, at1({ ...scaled, duplicates: "mask" }), groups)).loss;
    expect(scaledLoss).toBeCloseTo(masked.loss, 5);
    // Kept, the duplicates are negatives as similar as the positive.
    const kept = await ours(vectors, vectors, at1(none));
    expect(kept.loss).toBeCloseTo((4 * Math.log(3 + 2 / Math.E) + 2 * Math.log(1 + 4 / Math.E)) / 3, 5);
    expect(kept.accuracy).toBeCloseTo(2 / 6, 6);
  });

  test("where all are equal nothing is left: loss and gradient 0, counted", async () => {
    const same: Groups = [
      [4, 4, 4],
      [1, 2, 3],
    ];
    for (const options of [none, paper, scaled, { ...paper, detach: true }]) {
      const found = await ours(vectors, vectors, { ...options, duplicates: "mask" }, same);
      expect(found.loss).toBe(0);
      expect(found.gradient.every((x) => x === 0)).toBe(true);
      expect(found.sums["anchors_without_negatives"]).toEqual([6]);
      expect(found.sums["masked_negatives"]).toEqual([4]);
      expect([found.accuracy, found.hardest]).toEqual([1, 0]);
    }
  });
});

describe("against the equation in float64, tau = 0.05", () => {
  const rng = Rng.fromSeed(9);
  const unit = (): number[] => unitOf(Array.from({ length: 6 }, () => rng.normal()));
  const text = Array.from({ length: 5 }, unit);
  // Codes near their texts, so that losses are neither 0 nor huge.
  const code = text.map((v) => unitOf(v.map((x) => x + 0.5 * rng.normal())));
  const h = [...text, ...code];
  // Pairs 0 and 3 share a summary, 1 and 3 their code.
  const groups: Groups = [
    [0, 1, 2, 0, 4],
    [0, 1, 2, 1, 4],
  ];
  const cases: readonly (readonly [string, ContrastiveOptions])[] = [
    ["none", none],
    ["paper", paper],
    ["scaled", scaled],
    ["paper, detached", { ...paper, detach: true }],
    ["scaled, detached", { ...scaled, detach: true }],
    ["none, duplicates masked", { ...none, duplicates: "mask" }],
    ["paper, duplicates masked", { ...paper, duplicates: "mask" }],
    ["scaled, detached, duplicates masked", { ...scaled, detach: true, duplicates: "mask" }],
    ["learned temperature", { ...paper, temperature: { learn: 0.07 } }],
    ["matryoshka", { ...paper, matryoshka: { dims: [6, 4, 2], weights: [1, 0.5, 0.25] } }],
    ["matryoshka without the whole, scaled", { ...scaled, matryoshka: { dims: [3] } }],
    ["all at once", { ...paper, temperature: { learn: 0.1 }, duplicates: "mask", matryoshka: { dims: [6, 3] } }],
  ];

  test.each(cases)("value and gradient: %s", async (_, options) => {
    const masks = options.duplicates === "mask" ? { groups } : {};
    const found = await ours(text, code, options, masks.groups);
    expect(found.loss).toBeCloseTo(oracle(h, options, masks), 4);
    const step = 1e-5;
    const moved = (row: number, column: number, by: number): Vectors =>
      h.map((v, i) => (i === row ? v.map((x, j) => (j === column ? x + by : x)) : v));
    const expected = h.flatMap((v, row) =>
      v.map((_, column) => {
        const value = (by: number): number => {
          const at = moved(row, column, by);
          return oracle(at, options, { weightsFrom: options.detach ? h : at, ...masks });
        };
        return (value(step) - value(-step)) / (2 * step);
      }),
    );
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.1);
    expect(largestDifference(found.gradient, expected)).toBeLessThan(2e-4);
    if (typeof options.temperature === "number") return;
    const { learn } = options.temperature;
    const at = (log: number): number =>
      options.matryoshka === undefined
        ? oracle(h, options, { ...masks, tau: Math.exp(log) })
        : oracle(h, { ...options, temperature: Math.exp(log) }, masks);
    const slope = (at(Math.log(learn) + step) - at(Math.log(learn) - step)) / (2 * step);
    expect(Math.abs(slope)).toBeGreaterThan(0.1);
    expect(found.sums["gradient 2"]![0]).toBeCloseTo(slope, 3);
  });

  test.each(cases)("in blocks of anchors it is the same: %s", async (_, options) => {
    const given = options.duplicates === "mask" ? groups : undefined;
    const whole = await ours(text, code, options, given);
    // Blocks that lie in one side, across both, alone, and all at once.
    for (const block of [1, 3, 5, 10]) {
      const { sums } = await ours(text, code, options, given, block);
      expect(Object.keys(sums).sort()).toEqual(Object.keys(whole.sums).sort());
      for (const [name, values] of Object.entries(whole.sums)) {
        expect(largestDifference(sums[name]!, values), `${name}, ${block}`).toBeLessThan(1e-5);
      }
    }
  });

  test("detaching changes the gradient, not the value", async () => {
    const [attached, detached] = [await ours(text, code, paper), await ours(text, code, { ...paper, detach: true })];
    expect(detached.loss).toBe(attached.loss);
    expect(largestDifference(detached.gradient, attached.gradient)).toBeGreaterThan(0.01);
  });

  test("the metrics are the first width's, and those of each have names of their own", async () => {
    const { sums } = await ours(text, code, { ...paper, matryoshka: { dims: [6, 2], weights: [1, 3] } });
    const alone = await ours(text, code, paper);
    expect(sums["accuracy"]).toEqual(alone.sums["accuracy"]);
    expect(sums["loss_6"]![0]).toBeCloseTo(alone.loss, 6);
    expect(sums["loss"]![0]).toBeCloseTo(sums["loss_6"]![0]! + 3 * sums["loss_2"]![0]!, 5);
    expect(sums["accuracy_2"]![0]).toBeLessThanOrEqual(1);
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

test("a prefix wider than the vectors is refused", () => {
  const graph = new Graph("bad");
  const [text, code] = [graph.input("text", "float32", ["N", 4]), graph.input("code", "float32", ["N", 4])];
  expect(() => contrastiveLoss(text, code, { ...paper, matryoshka: { dims: [8, 4] } })).toThrow(
    "loss.matryoshka.dims: expected widths up to 4, got 8",
  );
});
