import { expect, test } from "vitest";
import { float32, int32 } from "../../base/index.js";
import { Graph, gradients } from "../../graph/index.js";
import { Parameters, tokenLosses } from "../../model/index.js";
import { largestDifference, numbers, runGraph } from "../../../test/helpers/run-graph.js";
import { maskedTokensLoss } from "./index.js";

function lossGraph(): Graph {
  const graph = new Graph("loss");
  const logits = graph.input("logits", "float32", ["M", 3]);
  // With the identity as token embedding the states are the logits.
  const parameters = new Parameters({
    "wte.weight": graph.constant(float32([3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1])),
  });
  const { loss, metrics } = maskedTokensLoss({
    tokens: tokenLosses(logits, graph.input("labels", "int32", ["M"]), parameters),
    weights: graph.input("weights", "float32", ["M"]),
    objective: graph.input("objective", "int32", ["M"]),
  });
  const [gradient] = gradients(loss, [logits]);
  for (const [name, value] of Object.entries({ loss, ...metrics, gradient: gradient! })) graph.output(name, value);
  return graph;
}

test("worked by hand: one place right, one wrong, one unused", async () => {
  // Place 0 (R): softmax of ln 2, 0, 0 gives its label 1/2: loss ln 2, right.
  // Place 1 (D): softmax of ln 6, 0, 0 gives its label 1/8: loss ln 8, wrong. Place 2 has weight 0.
  const outputs = await runGraph(lossGraph(), {
    logits: float32([3, 3], [Math.log(2), 0, 0, Math.log(6), 0, 0, 5, -7, 100]),
    labels: int32([3], [0, 2, 0]),
    weights: float32([3], [0.5, 0.5, 0]),
    objective: int32([3], [0, 1, 0]),
  });
  const ln2 = Math.LN2;
  const expected = {
    ...{ loss: 2 * ln2, loss_r: ln2 / 2, loss_d: (3 * ln2) / 2 },
    ...{ correct_r: 0.5, correct_d: 0, weight_r: 0.5, weight_d: 0.5 },
  };
  for (const [name, value] of Object.entries(expected)) {
    expect(numbers(outputs[name])[0], name).toBeCloseTo(value, 6);
  }
  // weight * (softmax - onehot); nothing at the unused place.
  const gradient = [-0.25, 0.125, 0.125, 0.375, 0.0625, 0.0625 - 0.5, 0, 0, 0];
  expect(largestDifference(numbers(outputs["gradient"]), gradient)).toBeLessThan(1e-6);
});

test("two chunks with global weights add up to the whole", async () => {
  const logits = [1, 2, 3, 0, -1, 1, 0.5, 0.5, 2, 3, 1, 0];
  const part = async (from: number, to: number): Promise<number> => {
    const outputs = await runGraph(lossGraph(), {
      logits: float32([to - from, 3], logits.slice(3 * from, 3 * to)),
      labels: int32([to - from], [0, 1, 2, 0].slice(from, to)),
      weights: float32(
        [to - from],
        Array.from({ length: to - from }, () => 0.25),
      ),
      objective: int32([to - from], [0, 1, 1, 0].slice(from, to)),
    });
    return numbers(outputs["loss"])[0]!;
  };
  expect((await part(0, 1)) + (await part(1, 4))).toBeCloseTo(await part(0, 4), 6);
});
