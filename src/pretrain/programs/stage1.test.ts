import { describe, expect, test } from "vitest";
import { float32, int32, Rng, type Tensor } from "../../base/index.js";
import { initialise, parseModelConfig, type ModelConfigInput } from "../../model/index.js";
import { largestDifference, numbers, withSession } from "../../../test/helpers/run-graph.js";
import { accumulators } from "../optimizer/index.js";
import {
  applyAccumulated,
  initialState,
  stage1Accumulate,
  stage1Evaluate,
  stage1Step,
  trainedShapes,
} from "./index.js";
import type { UpdateOptions } from "./index.js";

const base: ModelConfigInput = {
  ...{ layers: 2, heads: 2, width: 8, vocabSize: 20, maxLength: 12, padId: 0, eosId: 1, maskId: 2 },
  ...{ initStd: 0.3, pooling: "weighted" },
};
const update: UpdateOptions = { betas: [0.9, 0.98], eps: 1e-8, weightDecay: 0.01, clip: 1 };

function state(overrides: Partial<ModelConfigInput> = {}) {
  const config = parseModelConfig({ ...base, ...overrides });
  return { config, initial: initialState(config, initialise(config, Rng.fromSeed(1)), update, "stage1") };
}

const scalar = (outputs: Readonly<Record<string, Tensor>>, name: string): number => numbers(outputs[name])[0]!;

/** Two rows of 6: row 0 packs two documents, row 1 is padded; 4 masked places, capacity 6. */
const whole = {
  input_ids: int32([2, 6], [2, 4, 1, 2, 6, 1, 7, 2, 2, 1, 0, 0]),
  positions: int32([2, 6], [0, 1, 2, 0, 1, 2, 0, 1, 2, 3, 0, 0]),
  segments: int32([2, 6], [1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 0, 0]),
  masked_index: int32([6], [0, 3, 7, 8, 0, 0]),
  masked_label: int32([6], [3, 5, 8, 9, 0, 0]),
  masked_weight: float32([6], [0.25, 0.25, 0.25, 0.25, 0, 0]),
  objective: int32([6], [0, 0, 1, 1, 0, 0]),
};
const training = { row_ids: int32([2], [0, 1]), dropout_key: int32([2], [11, 12]) };
const learningRate = (value: number) => ({ learning_rate: float32([], [value]) });

describe("stage 1 step", () => {
  test("learns a batch by heart, with dropout", async () => {
    const { config, initial } = state({ dropout: 0.1 });
    await withSession(
      { step: stage1Step(config, update), evaluate: stage1Evaluate(config) },
      initial,
      async (session) => {
        const before = await session.run("evaluate", whole);
        expect(scalar(before, "loss")).toBeGreaterThan(2);
        for (let step = 0; step < 60; step++) {
          const key = { dropout_key: int32([2], [step, 5]) };
          const outputs = await session.run("step", { ...whole, ...training, ...key, ...learningRate(0.02) });
          expect(scalar(outputs, "grad_norm")).toBeGreaterThan(0);
          expect(scalar(outputs, "loss_r") + scalar(outputs, "loss_d")).toBeCloseTo(scalar(outputs, "loss"), 5);
        }
        const after = await session.run("evaluate", whole);
        expect(scalar(after, "loss")).toBeLessThan(0.3);
        expect(scalar(after, "correct_r")).toBeCloseTo(0.5, 6);
        expect(scalar(after, "correct_d")).toBeCloseTo(0.5, 6);
        expect(scalar(await session.read(["step"]), "step")).toBe(60);
      },
    );
  });

  test("capacity that is not used changes nothing", async () => {
    const { config, initial } = state();
    const cut = (value: Tensor): Tensor => ({ ...value, dims: [4], data: value.data.slice(0, 4) }) as Tensor;
    const small = Object.fromEntries(
      Object.entries(whole).map(([name, value]) => [name, value.dims.length === 1 ? cut(value) : value]),
    );
    await withSession({ evaluate: stage1Evaluate(config) }, parametersOf(initial), async (session) => {
      const [full, exact] = [await session.run("evaluate", whole), await session.run("evaluate", small)];
      for (const name of Object.keys(full)) expect(scalar(full, name)).toBeCloseTo(scalar(exact, name), 6);
    });
  });

  test("two accumulated chunks are one step, dropout included", async () => {
    const { config, initial } = state({ dropout: 0.2 });
    const whole4 = { ...whole, ...training };
    const rows = (value: Tensor, row: number): Tensor => {
      const size = value.data.length / 2;
      return {
        ...value,
        dims: [1, ...value.dims.slice(1)],
        data: value.data.slice(row * size, (row + 1) * size),
      } as Tensor;
    };
    const chunk = (row: number, index: readonly number[], label: readonly number[]) => ({
      ...Object.fromEntries(
        ["input_ids", "positions", "segments"].map((name) => [name, rows(whole[name as "segments"], row)]),
      ),
      masked_index: int32([2], index),
      masked_label: int32([2], label),
      masked_weight: float32([2], [0.25, 0.25]),
      objective: int32([2], [row, row]),
      row_ids: int32([1], [row]),
      dropout_key: training.dropout_key,
    });
    const programs = {
      step: stage1Step(config, update),
      accumulate: stage1Accumulate(config),
      apply: applyAccumulated(config, update, "stage1"),
    };
    const sums = accumulators(trainedShapes(config, "stage1"));
    await withSession(programs, { ...initial, ...sums }, async (session) => {
      const one = await session.run("step", { ...whole4, ...learningRate(0.01) });
      const expected = await session.read();
      await session.write({ ...initial, ...sums });
      const first = await session.run("accumulate", chunk(0, [0, 3], [3, 5]));
      const second = await session.run("accumulate", chunk(1, [1, 2], [8, 9]));
      const applied = await session.run("apply", learningRate(0.01));
      expect(scalar(first, "loss") + scalar(second, "loss")).toBeCloseTo(scalar(one, "loss"), 5);
      expect(scalar(applied, "grad_norm")).toBeCloseTo(scalar(one, "grad_norm"), 5);
      const found = await session.read();
      for (const name of Object.keys(initial)) {
        expect(largestDifference(numbers(found[name]), numbers(expected[name])), name).toBeLessThan(1e-4);
      }
      for (const name of Object.keys(sums))
        expect(
          numbers(found[name]).every((x) => x === 0),
          name,
        ).toBe(true);
    });
  });

  test("gradients of all parameters agree with finite differences", async () => {
    const { config, initial } = state({ dropout: 0, layers: 1 });
    const sums = accumulators(trainedShapes(config, "stage1"));
    const programs = { accumulate: stage1Accumulate(config), evaluate: stage1Evaluate(config) };
    const rng = Rng.fromSeed(8);
    const resident = { ...parametersOf(initial), ...sums };
    await withSession(programs, resident, async (session) => {
      await session.run("accumulate", { ...whole, ...training });
      const gradients = await session.read(Object.keys(sums));
      for (const name of Object.keys(trainedShapes(config, "stage1"))) {
        const value = initial[name]!;
        // Along a random direction, so that one difference tests every element.
        const direction = Array.from({ length: value.data.length }, () => rng.normal());
        const length = Math.hypot(...direction);
        const lossAt = async (by: number): Promise<number> => {
          const moved = numbers(value).map((x, i) => x + (by * direction[i]!) / length);
          await session.write({ [name]: float32(value.dims, moved) });
          return scalar(await session.run("evaluate", whole), "loss");
        };
        const step = 0.02;
        const numeric = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
        await session.write({ [name]: value });
        const analytic = numbers(gradients[`grad/${name}`]).reduce(
          (sum, g, i) => sum + (g * direction[i]!) / length,
          0,
        );
        expect(Math.abs(analytic - numeric), `${name}: ${analytic} against ${numeric}`).toBeLessThan(
          2e-3 + 0.01 * Math.abs(numeric),
        );
      }
    });
  });

  test("trains everything but the pooling, and batches of other shapes are refused", async () => {
    const { config, initial } = state();
    expect(Object.keys(trainedShapes(config, "stage1"))).not.toContain("pool.token_weight.weight");
    expect(Object.keys(initial)).toContain("pool.token_weight.weight");
    await withSession({ step: stage1Step(config, update) }, initial, async (session) => {
      const bad = { ...whole, ...training, ...learningRate(0.1), segments: int32([2, 5], new Array(10).fill(1)) };
      await expect(session.run("step", bad)).rejects.toThrow(/segments/);
    });
  });

  test("rate 0 of dropout leaves no mask in the graph", () => {
    const ops = (dropout: number) => stage1Step(state({ dropout }).config, update).nodes.map((node) => node.op);
    expect(ops(0)).not.toContain("dropoutMask");
    // Embedding, then three in each of two blocks.
    expect(ops(0.1).filter((op) => op === "dropoutMask")).toHaveLength(7);
  });
});

function parametersOf(initial: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(initial).filter(([name]) => !name.startsWith("adam.") && name !== "step"));
}
