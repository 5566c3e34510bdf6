import { describe, expect, test } from "vitest";
import { Rng, int32 } from "../base/index.js";
import { Graph, type Node } from "../graph/index.js";
import { largestDifference, numbers, runGraph } from "../../test/helpers/run-graph.js";
import { declareParameters, dropoutPlace, encode, initialise, parseModelConfig } from "./index.js";
import type { ModelConfigInput } from "./index.js";

const base: ModelConfigInput = {
  ...{ layers: 2, heads: 2, width: 8, vocabSize: 30, maxLength: 16, padId: 0, eosId: 1, maskId: 2 },
  dropout: 0.3,
};
const config = parseModelConfig(base);
const weights = initialise(config, Rng.fromSeed(3));

function training(overrides: Partial<ModelConfigInput> = {}, stream = 0, withDropout = true): Graph {
  const own = parseModelConfig({ ...base, ...overrides });
  const graph = new Graph("training");
  const inputIds = graph.input("ids", "int32", ["B", "T"]);
  const dropout = { key: graph.input("key", "int32", [2]), rows: graph.input("rows", "int32", ["B"]), stream };
  const { final } = encode(declareParameters(graph, own), own, { inputIds }, withDropout ? { dropout } : {});
  graph.output("states", final);
  return graph;
}

const masks = (graph: Graph) =>
  graph.nodes.filter((node): node is Extract<Node, { op: "dropoutMask" }> => node.op === "dropoutMask");

const ids = [7, 9, 4, 21, 1];
const run = async (graph: Graph, key: readonly [number, number], rows: readonly number[]) =>
  numbers(
    (
      await runGraph(
        graph,
        {
          ids: int32(
            [rows.length, 5],
            rows.flatMap(() => ids),
          ),
          key: int32([2], key),
          rows: int32([rows.length], rows),
        },
        weights,
      )
    )["states"],
  );

describe("dropout places", () => {
  test("every site and stream has its own number", () => {
    const sites = [0, 1].flatMap((stream) => [
      dropoutPlace(2, { kind: "embedding" }, stream),
      ...[0, 1].flatMap((layer) =>
        (["attention", "attention-residual", "mlp-residual"] as const).map((kind) =>
          dropoutPlace(2, { kind, layer }, stream),
        ),
      ),
    ]);
    expect(sites).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  });

  test("a graph has one mask per site, in these places; none without dropout or at rate 0", () => {
    expect(masks(training()).map((node) => node.params.place)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(masks(training({}, 1)).map((node) => node.params.place)).toEqual([7, 8, 9, 10, 11, 12, 13]);
    expect(masks(training()).every((node) => node.params.rate === 0.3)).toBe(true);
    const off = training({}, 0, false);
    expect(masks(off)).toEqual([]);
    const zero = training({ dropout: 0 });
    expect(zero.nodes.map((node) => node.op)).toEqual(off.nodes.map((node) => node.op));
  });
});

describe("dropout is a function of key, place and row alone", () => {
  const graph = training();

  test("the same key repeats, another key or seed does not", async () => {
    const first = await run(graph, [1, 2], [0]);
    expect(await run(graph, [1, 2], [0])).toEqual(first);
    expect(largestDifference(await run(graph, [2, 2], [0]), first)).toBeGreaterThan(0.1);
    expect(largestDifference(await run(graph, [1, 3], [0]), first)).toBeGreaterThan(0.1);
  });

  test("equal rows get different masks, and a row keeps its mask in any chunk", async () => {
    const together = await run(graph, [5, 6], [0, 1, 2]);
    expect(largestDifference(together.slice(0, 40), together.slice(40, 80))).toBeGreaterThan(0.1);
    expect(largestDifference(await run(graph, [5, 6], [1, 2]), together.slice(40))).toBeLessThan(1e-6);
  });

  test("streams differ", async () => {
    const [text, code] = [await run(graph, [5, 6], [0]), await run(training({}, 1), [5, 6], [0])];
    expect(largestDifference(text, code)).toBeGreaterThan(0.1);
  });

  test("selecting tokens leaves a function of key and row", async () => {
    const graph = new Graph("selected");
    const inputIds = graph.input("ids", "int32", ["B", "T"]);
    const dropout = { key: graph.input("key", "int32", [2]), rows: graph.input("rows", "int32", ["B"]) };
    const select = graph.input("select", "int32", ["M"]);
    graph.output("states", encode(declareParameters(graph, config), config, { inputIds }, { dropout, select }).final);
    const pick = async (rows: readonly number[], select: readonly number[]) =>
      numbers(
        (
          await runGraph(
            graph,
            {
              ids: int32(
                [rows.length, 5],
                rows.flatMap(() => ids),
              ),
              key: int32([2], [3, 4]),
              rows: int32([rows.length], rows),
              select: int32([select.length], select),
            },
            weights,
          )
        )["states"],
      );
    const both = await pick([0, 1], [1, 6, 8]);
    expect(largestDifference(both.slice(0, 8), both.slice(8, 16))).toBeGreaterThan(0.1);
    expect(largestDifference(await pick([1], [1, 3]), both.slice(8))).toBeLessThan(1e-6);
  });
});
