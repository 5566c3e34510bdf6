import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runOnnx } from "../../test/helpers/run-onnx.js";
import { float32, int32 } from "../base/index.js";
import * as ops from "./index.js";
import { Graph, toOnnx, toOnnxWithData, updateOutputName } from "./index.js";

/** The official message classes, as an independent reader of what we write. */
const { onnx } = createRequire(import.meta.url)("onnx-proto") as {
  onnx: { ModelProto: { decode(bytes: Uint8Array): DecodedModel } };
};
interface DecodedModel {
  irVersion: { toNumber(): number };
  opsetImport: { domain: string; version: { toNumber(): number } }[];
  graph: {
    name: string;
    node: { name: string; opType: string; domain: string; input: string[]; output: string[] }[];
    initializer: { name: string; dims: { toNumber(): number }[]; rawData: Uint8Array }[];
    input: {
      name: string;
      type: { tensorType: { shape: { dim: { dimParam: string | null; dimValue: unknown }[] } } };
    }[];
    output: { name: string }[];
  };
}

/** y = gelu(x w + b) in two scopes; w grows by one. */
function layer(): Graph {
  const graph = new Graph("layer");
  const x = graph.input("x", "float32", ["B", "T", 2]);
  const w = graph.state("w", "float32", [2, 3]);
  const b = graph.state("b", "float32", [3]);
  const y = graph.scope("h.0", () => graph.scope("mlp", () => ops.gelu(ops.add(ops.matmul(x, w), b))));
  graph.output("y", y);
  graph.update("w", ops.add(w, 1));
  return graph;
}

const WEIGHTS = { w: float32([2, 3], [1, 2, 3, 4, 5, 6]), b: float32([3], [0.5, 0, -0.5]) };
const X = float32([1, 2, 2], [0.1, 0.2, -0.3, 0.4]);
/** By hand: rows [0.1 0.2] w + b = [1.4, 1.2, 1.0], [-0.3 0.4] w + b = [1.8, 1.4, 1.0], through gelu_new. */
const Y = [1.4, 1.2, 1.0, 1.8, 1.4, 1.0].map(
  (z) => 0.5 * z * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z ** 3))),
);

describe("toOnnx", () => {
  test("states become inputs or constants, names carry scopes, dimensions stay symbolic", () => {
    const model = onnx.ModelProto.decode(toOnnx(layer(), { weights: { b: WEIGHTS.b } }));
    expect(model.irVersion.toNumber()).toBe(10);
    expect(model.opsetImport.map(({ domain, version }) => [domain, version.toNumber()])).toEqual([["", 21]]);
    expect(model.graph.input.map(({ name }) => name)).toEqual(["x", "w"]);
    expect(model.graph.input[0]!.type.tensorType.shape.dim.map(({ dimParam }) => dimParam)).toEqual(["B", "T", null]);
    expect(model.graph.output.map(({ name }) => name)).toEqual(["y", updateOutputName("w")]);
    const [bias] = model.graph.initializer.filter(({ name }) => name === "b");
    expect(bias!.dims.map((dim) => dim.toNumber())).toEqual([3]);
    expect([...new Float32Array(bias!.rawData.slice().buffer)]).toEqual([0.5, 0, -0.5]);
    // A linear layer over all rows is one Gemm with its bias; reshaping needs no arithmetic on shapes... but for B*T.
    const layers = model.graph.node.filter(({ opType }) => !["Shape", "Concat", "Reshape", "Mul"].includes(opType));
    expect(layers.map(({ name, opType }) => [name.replace(/_\d+_\w+$/, ""), opType])).toEqual([
      ["h.0/mlp/add", "Gemm"],
      ["h.0/mlp/gelu", "Gelu"],
      ["add", "Add"],
    ]);
  });

  test("runs, with weights as inputs and inside", async () => {
    const inside = await runOnnx(toOnnx(layer(), { weights: WEIGHTS }), { x: X });
    const fed = await runOnnx(toOnnx(layer(), { target: "onnxruntime" }), { x: X, ...WEIGHTS });
    for (const { y, "next/w": next } of [inside, fed]) {
      expect(y!.dims).toEqual([1, 2, 3]);
      [...(y!.data as Float32Array)].forEach((value, at) => expect(value).toBeCloseTo(Y[at]!, 5));
      expect([...(next!.data as Float32Array)]).toEqual([2, 3, 4, 5, 6, 7]);
    }
  });

  test("runs with weights in a second file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lodestone-onnx-"));
    try {
      const { model, tensors } = toOnnxWithData(layer(), "model.onnx_data", { weights: WEIGHTS });
      writeFileSync(join(folder, "model.onnx"), model);
      writeFileSync(join(folder, "model.onnx_data"), Buffer.concat([...ops.externalDataParts(tensors)]));
      expect(tensors.map(({ offset, length }) => [offset, length])).toEqual([
        [0, 24],
        [4096, 12],
      ]);
      const { y } = await runOnnx(join(folder, "model.onnx"), { x: X });
      [...(y!.data as Float32Array)].forEach((value, at) => expect(value).toBeCloseTo(Y[at]!, 5));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("one value under two names, and an input as an output", async () => {
    const graph = new Graph("names");
    const x = graph.input("x", "float32", [2]);
    const y = ops.neg(x);
    graph.output("y", y);
    graph.output("again", y);
    graph.output("same", x);
    graph.output("five", graph.constant(5));
    const result = await runOnnx(toOnnx(graph), { x: float32([2], [1, -2]) });
    expect(Object.entries(result).map(([name, { data }]) => [name, ...(data as Float32Array)])).toEqual([
      ["y", -1, 2],
      ["again", -1, 2],
      ["same", 1, -2],
      ["five", 5],
    ]);
  });

  test("dimensions that are only known at run time", async () => {
    const graph = new Graph("symbols");
    const x = graph.input("x", "float32", ["B", "T", 4]);
    const rows = ops.reshape(x, ["B*T", 4]);
    const split = ops.reshape(rows, ["B", "T", 2, 2]);
    graph.output("heads", ops.transpose(split, [0, 2, 1, 3]));
    graph.output("moved", ops.reshape(ops.transpose(split, [2, 1, 0, 3]), [2, "T*B", 2]));
    const twice = ops.concat([rows, ops.neg(rows)], 0);
    graph.output("second", ops.slice(twice, 0, "B*T", "2*B*T"));
    graph.output("positions", ops.expand(ops.iota(graph, "T"), ["B", "T"]));
    graph.output("count", ops.dimension(graph, "2*B*T-1"));
    graph.output("zeros", ops.pad(x, 1, "B", 1));
    const [gradient] = ops.gradients(ops.reduceMean(ops.square(x)), [x]);
    graph.output("gradient", gradient!);
    const data = Float32Array.from({ length: 24 }, (_, at) => at);
    for (const target of ["standard", "onnxruntime"] as const) {
      const result = await runOnnx(toOnnx(graph, { target }), { x: float32([2, 3, 4], data) });
      expect(result["heads"]!.dims).toEqual([2, 2, 3, 2]);
      expect([...(result["heads"]!.data as Float32Array)].slice(0, 8)).toEqual([0, 1, 4, 5, 8, 9, 2, 3]);
      expect(result["moved"]!.dims).toEqual([2, 6, 2]);
      expect([...(result["second"]!.data as Float32Array)]).toEqual([...data].map((value) => -value));
      expect([...(result["positions"]!.data as Int32Array)]).toEqual([0, 1, 2, 0, 1, 2]);
      expect([...(result["count"]!.data as Int32Array)]).toEqual([11]);
      expect(result["zeros"]!.dims).toEqual([2, 6, 4]);
      [...(result["gradient"]!.data as Float32Array)].forEach((value, at) =>
        expect(value).toBeCloseTo((2 * at) / 24, 5),
      );
    }
  });

  test("attention's gradient needs neither the mask nor a row sum over [T, T]", () => {
    const graph = new Graph("attention");
    const [q, k] = [graph.input("q", "float32", ["B", "T", 4]), graph.input("k", "float32", ["B", "T", 4])];
    const mask = graph.input("mask", "float32", ["B", "T", "T"]);
    const p = ops.softmax(ops.matmul(q, k, { transposeB: true }));
    const o = ops.matmul(ops.mul(p, mask), graph.input("v", "float32", ["B", "T", 4]));
    graph.output("gradient", ops.gradients(ops.reduceSum(ops.square(o)), [q])[0]!);
    const nodesOf = (target: ops.OnnxTarget) => onnx.ModelProto.decode(toOnnx(graph, { target })).graph.node;
    const reading = (nodes: readonly { input: string[] }[]) =>
      nodes.filter(({ input }) => input.includes("mask")).length;
    expect(reading(nodesOf("standard"))).toBe(2);
    expect(reading(nodesOf("onnxruntime"))).toBe(1);
  });

  test("loss of logits so far apart that a probability underflows", async () => {
    const graph = new Graph("far");
    const logits = graph.input("logits", "float32", [2, 3]);
    const labels = graph.constant(int32([2], [1, 0]));
    graph.output("loss", ops.softmaxCrossEntropy(logits, labels));
    const { loss } = await runOnnx(toOnnx(graph), { logits: float32([2, 3], [0, -500, -1, 200, 0, 0]) });
    // log(1 + e^-1) + 500 and 0.
    expect(loss!.data[0]).toBeCloseTo(500.3132617, 3);
    expect(loss!.data[1]).toBeCloseTo(0, 6);
  });

  test("names the line that uses a dimension nobody can tell", () => {
    const graph = new Graph("lost");
    graph.output("y", ops.iota(graph, "N"));
    expect(() => toOnnx(graph)).toThrow(
      /^onnx: expected an input or state with dimension N, got none \(at graph\/to-onnx\.test\.ts:\d+\)$/,
    );
  });

  test("refuses weights that do not fit and outputs named like inputs", () => {
    expect(() => toOnnx(layer(), { weights: { b: float32([2], [0, 0]) } })).toThrow(
      'onnx: expected float32[3] for weight "b", got float32[2]',
    );
    const graph = new Graph("clash");
    graph.output("x", ops.neg(graph.input("x", "float32", [1])));
    expect(() => toOnnx(graph)).toThrow('output "x" of graph clash has the name of an input');
  });
});
