import { afterAll, beforeAll, expect, test } from "vitest";
import { createEngine } from "./create-engine.js";
import type { EngineSession } from "./engine.js";
import { expectAgreement, opExamples } from "../../test/helpers/op-agreement.js";

/** Every op, on random tensors of random shapes, gives the same on both engines. */
const examples = opExamples();
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
    expectAgreement(graph, await onnxruntime.run(name, batch), await reference.run(name, batch));
  }
});
