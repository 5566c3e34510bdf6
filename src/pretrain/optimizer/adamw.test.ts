import { describe, expect, test } from "vitest";
import { float32, type Tensor } from "../../base/index.js";
import { Graph } from "../../graph/index.js";
import { numbers, withSession } from "../../../test/helpers/run-graph.js";
import { adamw, clipByGlobalNorm, type AdamWOptions } from "./index.js";

const plain: AdamWOptions = { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, decays: () => true };
const shapes = { w: [1, 1], b: [1] };

/** One step per entry of `gradients`; returns w and b after each. */
async function train(
  options: AdamWOptions,
  gradients: readonly (readonly [w: number, b: number])[],
  learningRate: number,
  clip: number | null = null,
): Promise<{ w: number; b: number; norm: number }[]> {
  const graph = new Graph("step");
  const optimizer = adamw(options);
  const trained = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      { parameter: graph.state(name, "float32", shape), gradient: graph.input(`g.${name}`, "float32", shape) },
    ]),
  );
  const all = Object.values(trained).map(({ gradient }) => gradient);
  const { norm, scale } = clipByGlobalNorm(all, clip);
  optimizer.update(graph, trained, graph.input("lr", "float32", []), scale);
  graph.output("norm", norm);
  const state: Record<string, Tensor> = {
    w: float32([1, 1], [1]),
    b: float32([1], [1]),
    ...optimizer.init(shapes),
  };
  return withSession({ step: graph }, state, async (session) => {
    const seen = [];
    for (const [w, b] of gradients) {
      const batch = { "g.w": float32([1, 1], [w]), "g.b": float32([1], [b]), lr: float32([], [learningRate]) };
      const outputs = await session.run("step", batch);
      const now = await session.read();
      seen.push({ w: numbers(now["w"])[0]!, b: numbers(now["b"])[0]!, norm: numbers(outputs["norm"])[0]! });
    }
    return seen;
  });
}

describe("adamw", () => {
  test("two steps worked by hand, with decay on the matrix only", async () => {
    // Step 1, g = 0.5: m = 0.05, v = 0.00025; corrected 0.5 and 0.25; step 0.1 * 0.5 / 0.5 = 0.1.
    // Step 2, g = -1: m = -0.055, v = 0.00124975; corrected -0.2894737 and 0.6251876; step -0.1 * 0.3661035.
    const options = { ...plain, weightDecay: 0.1, decays: (_: string, shape: readonly number[]) => shape.length > 1 };
    const [first, second] = await train(
      options,
      [
        [0.5, 0.5],
        [-1, -1],
      ],
      0.1,
    );
    expect(first!.b).toBeCloseTo(0.9, 6);
    expect(first!.w).toBeCloseTo(0.99 - 0.1, 6);
    expect(second!.b).toBeCloseTo(0.9 + 0.03661035, 6);
    expect(second!.w).toBeCloseTo(0.89 * 0.99 + 0.03661035, 6);
  });

  test("the first step is the learning rate whatever the gradient's size", async () => {
    for (const gradient of [1e-4, 1, 1e4]) {
      const [first] = await train(plain, [[gradient, -gradient]], 0.01);
      expect(first!.w).toBeCloseTo(0.99, 5);
      expect(first!.b).toBeCloseTo(1.01, 5);
    }
  });

  test("the bias correction of the second moment keeps its digits in float32", async () => {
    // 1 - 0.999 computed as a float32 difference would be off by 5e-5 of the step.
    const [first] = await train(plain, [[1, 1]], 0.5);
    expect(Math.abs(first!.w - 0.5)).toBeLessThan(2e-7);
  });

  test("a parameter's own rate multiplies step and decay", async () => {
    const rateOf = (name: string) => (name === "w" ? 3 : 1);
    const [first] = await train({ ...plain, weightDecay: 0.2, rateOf }, [[1, 1]], 0.1);
    expect(first!.w).toBeCloseTo(1 - 0.06 - 0.3, 6);
    expect(first!.b).toBeCloseTo(1 - 0.02 - 0.1, 6);
  });

  test("betas of 0 are sign descent", async () => {
    const steps = await train(
      { ...plain, betas: [0, 0] },
      [
        [4, -2],
        [-1, -3],
      ],
      0.1,
    );
    expect(steps[0]!.w).toBeCloseTo(0.9, 6);
    expect(steps[1]!.w).toBeCloseTo(1, 6);
    expect(steps[1]!.b).toBeCloseTo(1.2, 6);
  });
});

describe("clipping", () => {
  test("a norm of 5 clipped to 1: gradients [3, 4] act as [0.6, 0.8]", async () => {
    // Betas of 0 and a large eps make the step lr * g / (|g| + 1).
    const options = { ...plain, betas: [0, 0] as const, eps: 1 };
    const [clipped] = await train(options, [[3, 4]], 1, 1);
    expect(clipped!.norm).toBeCloseTo(5, 6);
    expect(clipped!.w).toBeCloseTo(1 - 0.6 / 1.6, 6);
    expect(clipped!.b).toBeCloseTo(1 - 0.8 / 1.8, 6);
  });

  test("a norm below the limit, and no limit, change nothing", async () => {
    const options = { ...plain, betas: [0, 0] as const, eps: 1 };
    for (const clip of [10, null]) {
      const [free] = await train(options, [[3, 4]], 1, clip);
      expect(free!.norm).toBeCloseTo(5, 6);
      expect(free!.w).toBeCloseTo(1 - 3 / 4, 6);
      expect(free!.b).toBeCloseTo(1 - 4 / 5, 6);
    }
  });

  test("gradients of zero stay zero", async () => {
    const [still] = await train(plain, [[0, 0]], 1, 1);
    expect(still).toEqual({ w: 1, b: 1, norm: 0 });
  });
});
