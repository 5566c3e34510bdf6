import { afterAll, beforeAll, expect, test } from "vitest";
import { opExamples, expectAgreement } from "../../../test/helpers/op-agreement.js";
import { expectClose, list, prepared } from "../../../test/helpers/prepared-gradients.js";
import { python, testWithPython } from "../../../test/helpers/requires.js";
import { createEngine } from "../index.js";
import type { EngineSession } from "../engine.js";

/** Every op, and every gradient by PyTorch's autograd, against the reference engine, which runs our own rules. */
const examples = opExamples();
const opGraphs = Object.fromEntries(examples.flatMap(({ runs }) => runs.map(({ name, graph }) => [name, graph])));
const gradientGraphs = Object.fromEntries(prepared.map(({ name, graph }) => [`gradient ${name}`, graph]));
const graphs = { ...opGraphs, ...gradientGraphs };

let torch: EngineSession;
let reference: EngineSession;
beforeAll(async () => {
  if (python === undefined) return;
  torch = await createEngine("torch", { python, device: "cpu" }).open(graphs, {}, { threads: 1 });
  reference = await createEngine("reference").open(graphs, {});
}, 120_000);
afterAll(async () => {
  await torch?.close();
  await reference?.close();
});

if (python === undefined) testWithPython("ops and gradients agree with the reference", () => undefined);
else {
  test.each(examples)("$op", async ({ runs }) => {
    for (const { name, graph, batch } of runs) {
      expectAgreement(graph, await torch.run(name, batch), await reference.run(name, batch));
    }
  });

  // float16 in the middle rounds otherwise on both sides.
  test.each(prepared.filter(({ op }) => op !== "cast").map((example) => [example.name, example] as const))(
    "gradient of %s",
    async (name, { feeds, floats }) => {
      const [ours, expected] = [
        await torch.run(`gradient ${name}`, feeds),
        await reference.run(`gradient ${name}`, feeds),
      ];
      for (const float of floats) {
        expectClose(list(ours[`grad/${float}`]), list(expected[`grad/${float}`]), 2e-5);
        expect(ours[`grad/${float}`]!.dims).toEqual(feeds[float]!.dims);
      }
    },
  );
}
