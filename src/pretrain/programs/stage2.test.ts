import { describe, expect, test } from "vitest";
import { float32, int32, Rng, type Tensor } from "../../base/index.js";
import { initialise, parseModelConfig, type ModelConfigInput } from "../../model/index.js";
import { largestDifference, numbers, withSession } from "../../../test/helpers/run-graph.js";
import { PAPER_CONTRASTIVE } from "../losses/index.js";
import { accumulators } from "../optimizer/index.js";
import {
  applyAccumulated,
  backwardChunk,
  embedChunk,
  embedProgram,
  initialState,
  lossRows,
  stage2Evaluate,
  stage2Step,
  trainedShapes,
  type UpdateOptions,
} from "./index.js";

const base: ModelConfigInput = {
  ...{ layers: 1, heads: 2, width: 8, vocabSize: 20, maxLength: 12, padId: 0, eosId: 1, maskId: 2 },
  ...{ initStd: 0.3, dropout: 0.1 },
};
const bag: Partial<ModelConfigInput> = { layers: 0, positions: false, finalNorm: false, pooling: "weighted" };
const update: UpdateOptions = { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01, clip: 1, embeddingRate: 2 };

function state(overrides: Partial<ModelConfigInput> = {}) {
  const config = parseModelConfig({ ...base, ...overrides });
  return { config, initial: initialState(config, initialise(config, Rng.fromSeed(1)), update, "stage2") };
}

const scalar = (outputs: Readonly<Record<string, Tensor>>, name: string): number => numbers(outputs[name])[0]!;

const batch = {
  text_ids: int32([4, 3], [3, 4, 1, 5, 1, 0, 6, 7, 1, 8, 1, 0]),
  text_segments: int32([4, 3], [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0]),
  code_ids: int32([4, 4], [9, 10, 3, 1, 11, 12, 1, 0, 13, 14, 15, 1, 16, 1, 0, 0]),
  code_segments: int32([4, 4], [1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 0]),
};
const training = { row_ids: int32([4], [0, 1, 2, 3]), dropout_key: int32([2], [11, 12]) };
const anchors = int32([8], [0, 1, 2, 3, 4, 5, 6, 7]);
const learningRate = (value: number) => ({ learning_rate: float32([], [value]) });

describe("stage 2 step", () => {
  test.each([
    ["paper", {}],
    ["static bag", bag],
    ["weighted pooling of the residual stream", { pooling: "weighted", poolStates: "residual" }],
    ["attention pooling", { pooling: "attention" }],
  ] as const)("learns a batch by heart: %s", async (_, overrides) => {
    const { config, initial } = state(overrides);
    const programs = {
      step: stage2Step(config, PAPER_CONTRASTIVE, update),
      evaluate: stage2Evaluate(config, PAPER_CONTRASTIVE),
    };
    await withSession(programs, initial, async (session) => {
      const before = await session.run("evaluate", batch);
      for (let step = 0; step < 40; step++) {
        const key = { dropout_key: int32([2], [step, 5]) };
        const outputs = await session.run("step", { ...batch, ...training, ...key, ...learningRate(0.02) });
        expect(scalar(outputs, "grad_norm")).toBeGreaterThan(0);
      }
      const after = await session.run("evaluate", batch);
      expect(scalar(after, "loss")).toBeLessThan(0.1);
      expect(scalar(after, "loss")).toBeLessThan(0.2 * scalar(before, "loss"));
      expect(scalar(after, "accuracy")).toBe(1);
      expect(scalar(after, "positive_similarity")).toBeGreaterThan(scalar(after, "hardest_negative_similarity"));
      // Everything that is trained has moved.
      const now = await session.read();
      for (const name of Object.keys(trainedShapes(config, "stage2"))) {
        expect(largestDifference(numbers(now[name]), numbers(initial[name])), name).toBeGreaterThan(1e-4);
      }
    });
  });

  test("evaluation equals the embed program's vectors under the loss", async () => {
    const { config, initial } = state();
    const programs = {
      evaluate: stage2Evaluate(config, PAPER_CONTRASTIVE),
      embed: embedProgram(config),
      loss: lossRows(config, PAPER_CONTRASTIVE, "bimodal"),
    };
    const parameters = Object.fromEntries(
      Object.entries(initial).filter(([name]) => !name.startsWith("adam.") && name !== "step"),
    );
    await withSession(programs, parameters, async (session) => {
      const vectors = async (side: "text" | "code") =>
        (await session.run("embed", { input_ids: batch[`${side}_ids`], input_segments: batch[`${side}_segments`] }))[
          "vectors"
        ]!;
      const [text, code] = [await vectors("text"), await vectors("code")];
      expect(Math.hypot(...numbers(text).slice(0, 8))).toBeCloseTo(1, 5);
      const whole = await session.run("evaluate", batch);
      const parts = await session.run("loss", { first: text, second: code, anchors });
      for (const name of Object.keys(whole)) expect(scalar(parts, name), name).toBeCloseTo(scalar(whole, name), 4);
    });
  });

  test.each([
    ["paper", {}],
    ["static bag", bag],
  ] as const)("gradient caching in chunks is one step, dropout included: %s", async (_, overrides) => {
    const { config, initial } = state(overrides);
    const sides = ["text", "code"] as const;
    const programs = {
      step: stage2Step(config, PAPER_CONTRASTIVE, update),
      "embed-text": embedChunk(config, "text"),
      "embed-code": embedChunk(config, "code"),
      loss: lossRows(config, PAPER_CONTRASTIVE, "bimodal"),
      "backward-text": backwardChunk(config, "text"),
      "backward-code": backwardChunk(config, "code"),
      apply: applyAccumulated(config, update, "stage2"),
    };
    const sums = accumulators(trainedShapes(config, "stage2"));
    const part = (value: Tensor, from: number, to: number): Tensor => {
      const size = value.data.length / value.dims[0]!;
      return {
        ...value,
        dims: [to - from, ...value.dims.slice(1)],
        data: value.data.slice(from * size, to * size),
      } as Tensor;
    };
    const chunks = [
      [0, 1],
      [1, 4],
    ] as const;
    await withSession(programs, { ...initial, ...sums }, async (session) => {
      const one = await session.run("step", { ...batch, ...training, ...learningRate(0.01) });
      const expected = await session.read();
      await session.write({ ...initial, ...sums });

      const input = (side: "text" | "code", [from, to]: readonly [number, number]) => ({
        input_ids: part(batch[`${side}_ids`], from, to),
        input_segments: part(batch[`${side}_segments`], from, to),
        row_ids: part(training.row_ids, from, to),
        dropout_key: training.dropout_key,
      });
      const vectors = { text: [] as number[], code: [] as number[] };
      for (const side of sides) {
        for (const chunk of chunks) {
          vectors[side].push(...numbers((await session.run(`embed-${side}`, input(side, chunk)))["vectors"]));
        }
      }
      const loss = await session.run("loss", {
        first: float32([4, 8], vectors.text),
        second: float32([4, 8], vectors.code),
        anchors,
      });
      for (const side of sides) {
        const gradient = loss[side === "text" ? "first_gradient" : "second_gradient"]!;
        for (const chunk of chunks) {
          const vector_gradient = part(gradient, chunk[0], chunk[1]);
          await session.run(`backward-${side}`, { ...input(side, chunk), vector_gradient });
        }
      }
      const applied = await session.run("apply", learningRate(0.01));
      expect(scalar(loss, "loss")).toBeCloseTo(scalar(one, "loss"), 4);
      expect(scalar(applied, "grad_norm") / scalar(one, "grad_norm")).toBeCloseTo(1, 4);
      const found = await session.read();
      for (const name of Object.keys(trainedShapes(config, "stage2"))) {
        // Moments are linear in the gradient; the parameters' first step only knows its sign.
        const moment = `adam.m/${name}`;
        expect(largestDifference(numbers(found[moment]), numbers(expected[moment])), name).toBeLessThan(1e-5);
      }
    });
  });

  test("the two sides have dropout masks of their own", () => {
    const places = stage2Step(state().config, PAPER_CONTRASTIVE, update).nodes.flatMap((node) =>
      node.op === "dropoutMask" ? [node.params.place] : [],
    );
    expect(places).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test("pooling before ln_f trains no ln_f", () => {
    const { config } = state({ poolStates: "residual" });
    expect(Object.keys(trainedShapes(config, "stage2")).filter((name) => name.startsWith("ln_f"))).toEqual([]);
  });
});
