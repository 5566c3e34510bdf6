import { describe, expect, test } from "vitest";
import { Rng, float32, int32, tensor, type Tensor } from "../base/index.js";
import { Graph } from "../graph/index.js";
import { largestDifference, numbers, runGraph } from "../../test/helpers/run-graph.js";
import { encode, encoderGraph, initialise, declareParameters, parseModelConfig, pool } from "./index.js";
import { localBias } from "./attention.js";
import type { ModelConfigInput } from "./index.js";

// Larger weights than at a real start, so that attention is far from uniform.
const base: ModelConfigInput = {
  ...{ layers: 2, heads: 2, width: 8, vocabSize: 30, maxLength: 16, padId: 0, eosId: 1, maskId: 2 },
  initStd: 0.5,
};

function modelOf(overrides: Partial<ModelConfigInput> = {}) {
  const config = parseModelConfig({ ...base, ...overrides });
  const weights = initialise(config, Rng.fromSeed(3));
  const rng = Rng.fromSeed(4);
  for (const name of Object.keys(weights)) {
    // Zeros hide mistakes: give pooling and biases values too.
    if (/^pool|bias$/.test(name)) weights[name]!.data.forEach((_, i, data) => (data[i] = 0.5 * rng.normal()));
  }
  return { config, weights };
}

/** Rows of ids, padded with 0 to `length`. */
function batch(rows: readonly (readonly number[])[], length: number): Record<string, Tensor> {
  const at = (row: number, column: number): number | undefined => rows[row]![column];
  const fill = (value: (id: number | undefined) => number) =>
    tensor(
      "int64",
      [rows.length, length],
      BigInt64Array.from({ length: rows.length * length }, (_, i) =>
        BigInt(value(at(Math.floor(i / length), i % length))),
      ),
    );
  return { input_ids: fill((id) => id ?? 0), attention_mask: fill((id) => (id === undefined ? 0 : 1)) };
}

const long = [7, 9, 4, 21, 1];
const short = [12, 5, 1];

test("headBias: one head before, one after, one around, one free; and so again", async () => {
  const graph = new Graph("bias");
  graph.output("bias", localBias(graph, 6, 4));
  const { bias } = await runGraph(graph, {}, {});
  expect(bias!.dims).toEqual([1, 6, 4, 4]);
  const head = (h: number): number[] => numbers(bias).slice(16 * h, 16 * (h + 1));
  // Row by row: what a query at 0, 1, 2, 3 adds to the keys at 0, 1, 2, 3.
  expect(head(0)).toEqual([0, 0, 0, 0, 7, 0, 0, 0, 0, 7, 0, 0, 0, 0, 7, 0]);
  expect(head(1)).toEqual([0, 7, 0, 0, 0, 0, 7, 0, 0, 0, 0, 7, 0, 0, 0, 0]);
  const around = [2, 0.3, 0.6, 0.9].map((x) => -x);
  expect(largestDifference(head(2).slice(0, 4), around)).toBeLessThan(1e-6);
  expect(largestDifference(head(2).slice(12), around.toReversed())).toBeLessThan(1e-6);
  expect(head(3).every((x) => x === 0)).toBe(true);
  expect([head(4), head(5)]).toEqual([head(0), head(1)]);
});

test("headBias: without positions and with uniform attention, order matters", async () => {
  for (const headBias of ["none", "local"] as const) {
    const { config, weights } = modelOf({ positions: false, headBias });
    for (const name of Object.keys(weights)) if (name.includes("c_attn")) weights[name]!.data.fill(0.3, 0, 8 * 16);
    const vectors = async (row: readonly number[]) =>
      numbers((await runGraph(encoderGraph(config), batch([row], 5), weights))["sentence_embedding"]);
    const difference = largestDifference(await vectors([7, 9, 4, 21, 1]), await vectors([9, 4, 7, 21, 1]));
    if (headBias === "none") expect(difference).toBeLessThan(1e-5);
    else expect(difference).toBeGreaterThan(0.01);
  }
});

describe("batches", () => {
  test.each([
    ["mean", {}],
    ["weighted", { pooling: "weighted" }],
    ["attention", { pooling: "attention" }],
    ["heads that look at their neighbours", { headBias: "local" }],
    ["weighted, before ln_f", { pooling: "weighted", poolStates: "residual" }],
    ["static bag", { layers: 0, positions: false, finalNorm: false, pooling: "weighted" }],
  ] as const)("a padded row's vector equals it alone: %s", async (_, overrides) => {
    const { config, weights } = modelOf(overrides);
    const graph = encoderGraph(config);
    const together = await runGraph(graph, batch([long, short], 7), weights);
    const alone = await runGraph(graph, batch([short], short.length), weights);
    const vectors = numbers(together["sentence_embedding"]);
    expect(largestDifference(vectors.slice(8), numbers(alone["sentence_embedding"]))).toBeLessThan(1e-6);
    expect(largestDifference(vectors.slice(8), vectors.slice(0, 8))).toBeGreaterThan(0.01);
  });

  test("a row of nothing but padding stays finite", async () => {
    for (const pooling of ["mean", "weighted", "attention"] as const) {
      const { config, weights } = modelOf({ pooling });
      const outputs = await runGraph(encoderGraph(config, { normalised: true }), batch([long, []], 5), weights);
      expect(numbers(outputs["sentence_embedding"]).every(Number.isFinite)).toBe(true);
      expect(numbers(outputs["last_hidden_state"]).every(Number.isFinite)).toBe(true);
    }
  });

  test("the mean is over real tokens of the last hidden state, and normalised has length 1", async () => {
    const { config, weights } = modelOf();
    const plain = await runGraph(encoderGraph(config), batch([short], 6), weights);
    const states = numbers(plain["last_hidden_state"]);
    const mean = Array.from({ length: 8 }, (_, h) => (states[h]! + states[8 + h]! + states[16 + h]!) / 3);
    expect(largestDifference(mean, numbers(plain["sentence_embedding"]))).toBeLessThan(1e-6);
    const unit = await runGraph(encoderGraph(config, { normalised: true }), batch([short], 6), weights);
    const norm = Math.hypot(...mean);
    const expected = mean.map((x) => x / norm);
    expect(largestDifference(expected, numbers(unit["sentence_embedding"]))).toBeLessThan(1e-6);
  });

  test("order matters with positions and does not without", async () => {
    const reversed = [5, 12, 1];
    for (const positions of [true, false]) {
      const { config, weights } = modelOf({ positions });
      const outputs = await runGraph(encoderGraph(config), batch([short, reversed], 3), weights);
      const vectors = numbers(outputs["sentence_embedding"]);
      const difference = largestDifference(vectors.slice(0, 8), vectors.slice(8));
      if (positions) expect(difference).toBeGreaterThan(0.01);
      else expect(difference).toBeLessThan(1e-5);
    }
  });
});

describe("a static bag (0 layers)", () => {
  test("is the softplus-weighted mean of token vectors, by hand", async () => {
    const config = parseModelConfig({
      ...{ layers: 0, heads: 1, width: 2, vocabSize: 4, maxLength: 8, padId: 0, eosId: 1, maskId: 2 },
      ...{ positions: false, finalNorm: false, pooling: "weighted" },
    });
    // softplus(ln(e - 1)) = 1 and softplus(ln(e^3 - 1)) = 3.
    const weights = {
      "wte.weight": float32([4, 2], [9, 9, 1, 0, 9, 9, 0, 2]),
      "pool.token_weight.weight": float32([4, 1], [5, Math.log(Math.E - 1), 5, Math.log(Math.E ** 3 - 1)]),
    };
    const outputs = await runGraph(encoderGraph(config), batch([[3, 1]], 4), weights);
    expect(largestDifference(numbers(outputs["sentence_embedding"]), [1 / 4, 6 / 4])).toBeLessThan(1e-6);
  });

  test("has no blocks, positions or masks in its graph", () => {
    const { config } = modelOf({ layers: 0, positions: false, finalNorm: false, pooling: "weighted" });
    const graph = encoderGraph(config);
    expect([...graph.states.keys()]).toEqual(["wte.weight", "pool.token_weight.weight"]);
    expect(graph.nodes.some((node) => node.op === "layerNorm" || node.op === "softmax")).toBe(false);
  });
});

describe("packed documents", () => {
  function packed(config: ReturnType<typeof modelOf>["config"], select: boolean) {
    const graph = new Graph("packed");
    const input = (name: string) => graph.input(name, "int32", ["B", "T"]);
    const inputs = { inputIds: input("ids"), positions: input("positions"), segments: input("segments") };
    const options = select ? { select: graph.input("select", "int32", ["M"]) } : {};
    const { final } = encode(declareParameters(graph, config), config, inputs, options);
    graph.output("states", final);
    return graph;
  }
  const row = {
    ids: int32([1, 11], [...long, ...short, 9, 0, 0]),
    positions: int32([1, 11], [0, 1, 2, 3, 4, 0, 1, 2, 0, 0, 0]),
    segments: int32([1, 11], [1, 1, 1, 1, 1, 2, 2, 2, 3, 0, 0]),
  };

  test("each document's states are those it has alone", async () => {
    const { config, weights } = modelOf();
    const together = numbers((await runGraph(packed(config, false), row, weights))["states"]);
    const alone = async (ids: readonly number[]) =>
      numbers((await runGraph(encoderGraph(config), batch([ids], ids.length), weights))["last_hidden_state"]);
    expect(largestDifference(together.slice(0, 40), await alone(long))).toBeLessThan(1e-5);
    expect(largestDifference(together.slice(40, 64), await alone(short))).toBeLessThan(1e-5);
    expect(largestDifference(together.slice(64, 72), await alone([9]))).toBeLessThan(1e-5);
    expect(together.every(Number.isFinite)).toBe(true);
  });

  test("a change in one document leaves the others as they were, bit for bit", async () => {
    const { config, weights } = modelOf();
    const before = numbers((await runGraph(packed(config, false), row, weights))["states"]);
    const changed = { ...row, ids: int32([1, 11], [...long, 13, 5, 1, 9, 0, 0]) };
    const after = numbers((await runGraph(packed(config, false), changed, weights))["states"]);
    expect(after.slice(0, 40)).toEqual(before.slice(0, 40));
    expect(after.slice(64, 72)).toEqual(before.slice(64, 72));
    expect(largestDifference(after.slice(48, 64), before.slice(48, 64))).toBeGreaterThan(0.01);
  });

  test("selected tokens are those of the full result", async () => {
    for (const layers of [0, 1, 2]) {
      const { config, weights } = modelOf({ layers });
      const all = numbers((await runGraph(packed(config, false), row, weights))["states"]);
      const some = await runGraph(packed(config, true), { ...row, select: int32([3], [6, 2, 6]) }, weights);
      expect(some["states"]!.dims).toEqual([3, 8]);
      const expected = [6, 2, 6].flatMap((token) => all.slice(8 * token, 8 * token + 8));
      expect(largestDifference(expected, numbers(some["states"]))).toBeLessThan(1e-6);
    }
  });

  test("the mask is built once, whatever the number of layers", () => {
    const maskNodes = (layers: number) =>
      packed(modelOf({ layers }).config, false).nodes.filter((node) => node.scope.startsWith("mask")).length;
    expect(maskNodes(1)).toBeGreaterThan(0);
    expect(maskNodes(3)).toBe(maskNodes(1));
  });
});

describe("shape errors", () => {
  const { config } = modelOf();

  test("name what was expected and what came", () => {
    const graph = new Graph("bad");
    const parameters = declareParameters(graph, config);
    const inputIds = graph.input("ids", "int32", ["B", "T"]);
    const segments = graph.input("segments", "int32", ["B", "S"]);
    expect(() => encode(parameters, config, { inputIds, segments })).toThrow(
      "encode: expected segments [B, T] as inputIds, got [B, S]",
    );
    const flat = graph.input("flat", "int32", ["B"]);
    expect(() => encode(parameters, config, { inputIds: flat })).toThrow("expected inputIds [B, T], got [B]");
  });

  test("weights of another width are refused where the graph is built", () => {
    const graph = new Graph("bad");
    const parameters = declareParameters(graph, config);
    const inputIds = graph.input("ids", "int32", ["B", "T"]);
    const wider = parseModelConfig({ ...base, width: 16 });
    expect(() => encode(parameters, wider, { inputIds })).toThrow(expect.objectContaining({ code: "graph.shape" }));
  });

  test("pooling wants a mask of the batch", () => {
    const graph = new Graph("bad");
    const parameters = declareParameters(graph, config);
    const inputIds = graph.input("ids", "int32", ["B", "T"]);
    const states = encode(parameters, config, { inputIds });
    const mask = graph.input("mask", "int32", ["B", "S"]);
    expect(() => pool(parameters, config, states, inputIds, mask)).toThrow(
      expect.objectContaining({ code: "graph.shape" }),
    );
  });
});

test("the printed graph of one block, so that a review sees changed maths", () => {
  const config = parseModelConfig({ ...base, layers: 1, width: 4, heads: 2 });
  expect(encoderGraph(config).toString()).toMatchSnapshot();
});
