import { afterAll, beforeAll, expect, test } from "vitest";
import { Rng, type Tensor } from "../base/index.js";
import { Graph, OP_NAMES, type OpName } from "../graph/index.js";
import { createEngine } from "./create-engine.js";
import type { EngineSession } from "./engine.js";
import { OP_CASES } from "../../test/helpers/op-cases.js";

/** Every op, on random tensors of random shapes, gives the same on both engines. */
const REPEATS = 8;
const rng = Rng.fromSeed(20);

function build(op: OpName, repeat: number): { readonly graph: Graph; readonly batch: Record<string, Tensor> } {
  const { feeds, build: emit } = OP_CASES[op](rng.split(op, repeat));
  const graph = new Graph(`${op}/${repeat}`);
  const values = Object.entries(feeds).map(([name, { value, shape }]) => graph.input(name, value.dtype, shape));
  emit(values, graph).forEach((value, index) => graph.output(`y${index}`, value));
  return { graph, batch: Object.fromEntries(Object.entries(feeds).map(([name, { value }]) => [name, value])) };
}

const examples = OP_NAMES.map((op) => ({
  op,
  runs: Array.from({ length: REPEATS }, (_, repeat) => ({ name: `${op}/${repeat}`, ...build(op, repeat) })),
}));
const graphs = Object.fromEntries(examples.flatMap(({ runs }) => runs.map(({ name, graph }) => [name, graph])));

let onnxruntime: EngineSession;
let reference: EngineSession;
beforeAll(async () => {
  onnxruntime = await createEngine("onnxruntime").open(graphs, {}, { threads: 1 });
  reference = await createEngine("reference").open(graphs, {});
}, 60_000);
afterAll(async () => {
  await onnxruntime.close();
  await reference.close();
});

test.each(examples)("$op", async ({ op, runs }) => {
  // A random case may be the identity, which emits nothing.
  expect(runs.filter(({ graph }) => graph.nodes.some((node) => node.op === op)).length).toBeGreaterThan(1);
  for (const { name, graph, batch } of runs) {
    const [actual, expected] = [await onnxruntime.run(name, batch), await reference.run(name, batch)];
    expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
    for (const [output, { dtype, dims, data }] of Object.entries(expected)) {
      const got = actual[output]!;
      expect({ dtype: got.dtype, dims: [...got.dims] }).toEqual({ dtype, dims: [...dims] });
      for (let at = 0; at < data.length; at++) {
        const [a, b] = [Number(got.data[at]), Number(data[at])];
        // Integers, and what compares them, are exact; floats are rounded to 24 bits after every op on one side.
        const tolerance = dtype === "float32" ? 2e-5 * (1 + Math.abs(b)) : 0;
        if (!(Math.abs(a - b) <= tolerance)) {
          throw new Error(`${graph.toString()}\n${output}[${at}]: expected ${b} as the reference, got ${a}`);
        }
      }
    }
  }
});
