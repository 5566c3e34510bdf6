import { describe, expect, test } from "vitest";
import { Rng, tensor } from "../base/index.js";
import { createEngine } from "../engine/index.js";
import { gradients, Graph, mul, reduceSum, square, type Value } from "../graph/index.js";
import { encode } from "./encode.js";
import { initialise } from "./initialise.js";
import { declareParameters } from "./parameter-values.js";
import { isPlainBag, normalise, pool, poolBag } from "./pool.js";
import { sizeWith } from "./sizes.js";

const bag = (changes: object = {}) =>
  sizeWith("nano", {
    ...{ vocabSize: 12, layers: 0, heads: 1, width: 8, maxLength: 6, positions: false, finalNorm: false },
    ...{ pooling: "weighted", poolStates: "residual", initStd: 0.5, dropout: 0 },
    ...changes,
  });

describe.each([
  { pooling: "weighted" },
  { pooling: "mean" },
  { pooling: "weighted", repetition: 0.5, positionDecay: 2 },
  { pooling: "weighted", repetition: 0.3 },
  { pooling: "mean", repetition: 0 },
] as const)("a static bag pooled as a product, %o", (changes) => {
  const { pooling } = changes;
  test.each(["reference", "onnxruntime"] as const)("has pool's values and gradients (%s)", async (name) => {
    const config = bag(changes);
    const graph = new Graph("bags");
    const inputIds = graph.input("ids", "int32", [3, 6]);
    const mask = graph.input("mask", "int32", [3, 6]);
    const scale = graph.input("scale", "float32", [3, 8]);
    const parameters = declareParameters(graph, config);
    const states = encode(parameters, config, { inputIds, attentionMask: mask });
    const trained = Object.values(parameters.values);
    for (const [way, vectors] of Object.entries({
      gathered: pool(parameters, config, states, inputIds, mask),
      product: poolBag(parameters, config, inputIds, mask),
    })) {
      graph.output(way, vectors);
      const loss = reduceSum(square(mul(normalise(vectors), scale)));
      gradients(loss, trained).forEach((value, i) => graph.output(`${way}-${i}`, value));
    }
    const rng = Rng.fromSeed(4);
    const weights = initialise(config, rng);
    for (const { data } of Object.values(weights)) for (let i = 0; i < data.length; i++) data[i] = rng.normal();
    const session = await createEngine(name).open({ bags: graph }, weights, { threads: 1 });
    const seen = await session.run("bags", {
      // Repeated tokens, padding that is also a token, and a row of padding.
      ids: tensor("int32", [3, 6], Int32Array.of(3, 3, 5, 0, 0, 0, 1, 2, 3, 4, 5, 11, 0, 0, 0, 0, 0, 0)),
      mask: tensor("int32", [3, 6], Int32Array.of(1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0)),
      scale: tensor(
        "float32",
        [3, 8],
        Float32Array.from({ length: 24 }, () => rng.normal()),
      ),
    });
    await session.close();
    expect(trained).toHaveLength(pooling === "weighted" ? 2 : 1);
    for (const part of ["", ...trained.map((_, i) => `-${i}`)]) {
      const [expected, got] = [seen[`gathered${part}`]!, seen[`product${part}`]!];
      expect(got.dims).toEqual(expected.dims);
      expect(Array.from(got.data as Float32Array)).toEqual(
        Array.from(expected.data as Float32Array, (value) => expect.closeTo(value, 5) as number),
      );
    }
    expect(Math.abs(Number(seen["product-0"]!.data[3 * 8]))).toBeGreaterThan(1e-3);
  });
});

test("what occurrences count, by hand", async () => {
  const config = bag({ pooling: "mean", repetition: 0.5, positionDecay: 2, width: 2 });
  const graph = new Graph("hand");
  const [inputIds, mask] = ["ids", "mask"].map((name) => graph.input(name, "int32", [1, 4])) as [Value, Value];
  const parameters = declareParameters(graph, config);
  const states = encode(parameters, config, { inputIds, attentionMask: mask });
  graph.output("vector", pool(parameters, config, states, inputIds, mask));
  const table = Float32Array.from({ length: 24 }, (_, i) => (i === 6 ? 1 : i === 11 ? 1 : 0)); // 3: (1, 0); 5: (0, 1)
  const weights = { "wte.weight": tensor("float32", [12, 2], table) };
  const session = await createEngine("reference").open({ hand: graph }, weights, { threads: 1 });
  const { vector } = await session.run("hand", {
    ids: tensor("int32", [1, 4], Int32Array.of(3, 5, 3, 5)),
    mask: tensor("int32", [1, 4], Int32Array.of(1, 1, 1, 0)),
  });
  // Positions count 1, 2/3, 1/2: token 3 has sqrt(3/2), token 5 sqrt(2/3), 3 : 2.
  expect(Array.from(vector!.data as Float32Array)).toEqual([expect.closeTo(0.6, 6), expect.closeTo(0.4, 6)]);
  await session.close();
});

test("positions, blocks, a last norm and attention are not a plain bag", () => {
  expect(isPlainBag(bag())).toBe(true);
  expect(isPlainBag(bag({ finalNorm: true }))).toBe(true); // Its states are the residual ones.
  expect(isPlainBag(bag({ finalNorm: true, poolStates: "final" }))).toBe(false);
  expect(isPlainBag(bag({ positions: true }))).toBe(false);
  expect(isPlainBag(bag({ pooling: "attention" }))).toBe(false);
  expect(isPlainBag(bag({ layers: 1 }))).toBe(false);
});
