import { expect, test } from "vitest";
import { float32 } from "../base/index.js";
import { openOnnx } from "../../test/helpers/run-onnx.js";
import { list, prepared } from "../../test/helpers/prepared-gradients.js";
import { add, concat, exp, Graph, gradients, mul, neg, reduceSum, simplify, square, toOnnx } from "./index.js";

const opsOf = (graph: Graph): string[] => graph.nodes.map(({ op }) => op);

test("common subexpressions are computed once, dead nodes not at all", () => {
  const graph = new Graph("g");
  const x = graph.input("x", "float32", ["B"]);
  neg(x);
  const constant = (): ReturnType<Graph["constant"]> => graph.constant(float32([2], [1, 2]));
  graph.output("y", add(exp(x), exp(x)));
  graph.output("z", concat([constant(), add(constant(), 1), add(constant(), 1)], 0));
  const simple = simplify(graph);
  expect(opsOf(graph)).toEqual(["neg", "exp", "exp", "add", "add", "add", "concat"]);
  expect(opsOf(simple)).toEqual(["exp", "add", "add", "concat"]);
  expect(opsOf(simplify(simple))).toEqual(opsOf(simple));
  expect([...simple.outputs.keys()]).toEqual(["y", "z"]);
});

test("x + 0 and x * 1 are x, unless they broadcast", () => {
  const graph = new Graph("g");
  const x = graph.input("x", "float32", []);
  graph.output("y", mul(add(0, x), 1));
  graph.output("z", add(x, graph.constant(float32([1], [0]))));
  expect(opsOf(simplify(graph))).toEqual(["add"]);
});

test("differentiations follow, without the results that nobody uses", () => {
  const graph = new Graph("g");
  const x = graph.state("x", "float32", [3]);
  const y = graph.state("y", "float32", [3]);
  const unused = graph.state("unused", "float32", [2]);
  const loss = reduceSum(mul(square(x), y));
  const [dx, , none] = gradients(loss, [x, y, unused]);
  gradients(reduceSum(x), [x]);
  graph.update("x", add(x, dx!));
  graph.output("none", none!);
  const simple = simplify(graph);
  expect(simple.differentiations).toHaveLength(1);
  const [record] = simple.differentiations;
  expect(record!.wrt).toEqual([simple.states.get("x"), simple.states.get("unused")]);
  expect(record!.results[1]).toBe(simple.outputs.get("none"));
  // The loss itself is no output, but stays: an engine with its own autograd starts from it.
  expect(record!.loss.graph).toBe(simple);
  expect(opsOf(simple)).toContain("reduceSum");
  const next = simple.updates.get("x")!;
  expect(next.origin.kind === "node" && next.origin.node.inputs).toContain(record!.results[0]);
});

test("results stay what they were, bit for bit, on every gradient case", async () => {
  for (const { graph, feeds } of prepared) {
    const options = { graphOptimizationLevel: "disabled" } as const;
    const [before, after] = await Promise.all([
      openOnnx(toOnnx(graph), options),
      openOnnx(toOnnx(simplify(graph)), options),
    ]);
    const [expected, got] = [await before.run(feeds), await after.run(feeds)];
    for (const name of Object.keys(expected)) expect(list(got[name]), graph.name).toEqual(list(expected[name]));
    await Promise.all([before.close(), after.close()]);
  }
});
