import { describe, expect, test } from "vitest";
import { float32, int32, Rng, type Tensor } from "../base/index.js";
import { initialise, parseModelConfig } from "../model/index.js";
import { largestDifference, numbers, withSession } from "../../test/helpers/run-graph.js";
import { LOG_TEMPERATURE, lossParameters, PAPER_CONTRASTIVE } from "./losses/index.js";
import { blockRows, initialState, type Stage2Loss, type UpdateOptions } from "./programs/index.js";
import { equalRows, stage2Steps } from "./step.js";
import { chunksOf } from "./_view-chunks.js";

const rng = Rng.fromSeed(8);
const model = parseModelConfig({
  ...{ layers: 1, heads: 2, width: 8, vocabSize: 60, maxLength: 12, padId: 0, eosId: 1, maskId: 2 },
  ...{ initStd: 0.3, dropout: 0.1 },
});
const update: UpdateOptions = { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.1, clip: null };
const PAIRS = 64;

/** 64 pairs of random tokens; pairs 60 to 63 have the text of pairs 0 to 3, 59 has the code of 5. */
function batchOf(pairs = PAIRS): Record<string, Tensor> {
  const draw = rng.split("pairs");
  const side = (length: number, copies: Readonly<Record<number, number>>) => {
    const rows: number[][] = [];
    const lengths: number[] = [];
    for (let row = 0; row < pairs; row++) {
      const from = copies[row];
      lengths.push(from === undefined ? 2 + draw.int(length - 1) : lengths[from]!);
      const own = Array.from({ length }, (_, at) => (at < lengths[row]! ? 3 + draw.int(57) : 0));
      rows.push(from === undefined ? own : rows[from]!);
    }
    const segments = rows.map((row, at) => row.map((_, place) => (place < lengths[at]! ? 1 : 0)));
    return { ids: int32([pairs, length], rows.flat()), segments: int32([pairs, length], segments.flat()) };
  };
  const [text, code] = [side(5, { 60: 0, 61: 1, 62: 2, 63: 3 }), side(8, { 59: 5 })];
  return {
    ...{ text_ids: text.ids, text_segments: text.segments, code_ids: code.ids, code_segments: code.segments },
    row_ids: int32(
      [pairs],
      Array.from({ length: pairs }, (_, row) => row),
    ),
  };
}

const batch = batchOf();

/** Metrics of some updates, the state before and after. */
async function updates(
  loss: Stage2Loss,
  chunk: number | null,
  { steps = 1, rate = 1e-2, given = batch, config = model } = {},
) {
  const step = stage2Steps(config, loss, update, chunk);
  const start = initialState(config, initialise(config, rng), update, "stage2", lossParameters(loss.temperature));
  return withSession(
    step.programs,
    { ...start, ...step.scratch },
    async (session) => {
      const metrics: Record<string, number>[] = [];
      for (let index = 0; index < steps; index++) {
        const key = { dropout_key: int32([2], rng.split("dropout", index).keyInt32) };
        const outputs = await step.run(session, { ...given, ...key, learning_rate: float32([], [rate]) });
        metrics.push(Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, Number(data[0])])));
      }
      return { metrics, start, state: await session.read(Object.keys(start)), scratch: await session.read() };
    },
    "onnxruntime",
  );
}

/** The gradient of the first update: without clipping the first moment is a tenth of it. */
function gradientOf(state: Readonly<Record<string, Tensor>>): Record<string, number[]> {
  const moments = Object.entries(state).filter(([name]) => name.startsWith("adam.m/"));
  return Object.fromEntries(moments.map(([name, value]) => [name, numbers(value).map((x) => 10 * x)]));
}

async function expectSame(loss: Stage2Loss, chunk: number, more: { given?: typeof batch; config?: typeof model } = {}) {
  const whole = await updates({ ...loss, block: undefined }, null, more);
  const found = await updates(loss, chunk, more);
  expect(Object.keys(found.metrics[0]!).sort()).toEqual(Object.keys(whole.metrics[0]!).sort());
  for (const [name, value] of Object.entries(whole.metrics[0]!)) {
    const size = Math.max(1, Math.abs(value));
    expect(Math.abs(found.metrics[0]![name]! - value) / size, `${name}, ${chunk}`).toBeLessThan(1e-5);
  }
  const expected = gradientOf(whole.state);
  const largest = Math.max(...Object.values(expected).flat().map(Math.abs));
  expect(largest).toBeGreaterThan(0.01);
  for (const [name, values] of Object.entries(gradientOf(found.state))) {
    expect(largestDifference(values, expected[name]!) / Math.max(1, largest), `${name}, ${chunk}`).toBeLessThan(1e-5);
  }
}

describe("gradient caching of 64 pairs, dropout on: loss, metrics and gradient of the whole batch to 1e-5", () => {
  test.each([8, 16, 64])("%i pairs at a time", (chunk) => expectSame(PAPER_CONTRASTIVE, chunk));

  test.each([
    ["scaled, detached, in blocks of 24 anchors", { normalisation: "scaled", detach: true, block: 24 }],
    ["unweighted, in blocks of 50", { weighting: "none", block: 50 }],
    ["duplicates masked", { duplicates: "mask", block: 30 }],
    ["learned temperature", { temperature: { learn: 0.08 }, block: 30 }],
    ["matryoshka", { matryoshka: { dims: [8, 4, 2], weights: [1, 0.5, 0.5] }, block: 100 }],
    ["code with itself", { modality: "code", block: 30 }],
    ["text with itself, duplicates masked", { modality: "text", duplicates: "mask" }],
    [
      "all modalities, everything on",
      {
        ...{ modality: ["bimodal", "code", "text"], duplicates: "mask", temperature: { learn: 0.1 }, block: 40 },
        ...{ matryoshka: { dims: [8, 4] } },
      },
    ],
  ] satisfies readonly (readonly [string, Partial<Stage2Loss>])[])("%s", (_, options) =>
    expectSame({ ...PAPER_CONTRASTIVE, ...options }, 24),
  );
});

describe("without dropout a chunk is as wide as its longest text", () => {
  const wide = Object.fromEntries(
    Object.entries(batch).map(([name, given]) => {
      if (name === "row_ids") return [name, given];
      const [pairs, length] = given.dims as [number, number];
      const data = new Int32Array(pairs * 40);
      for (let row = 0; row < pairs; row++) {
        data.set((given.data as Int32Array).subarray(row * length, (row + 1) * length), row * 40);
      }
      return [name, int32([pairs, 40], data)];
    }),
  );

  test.each([8, 24])("%i pairs at a time: loss, metrics and gradient of the whole batch", (chunk) =>
    expectSame({ ...PAPER_CONTRASTIVE, duplicates: "mask" }, chunk, {
      given: wide,
      config: { ...model, dropout: 0, maxLength: 40 },
    }),
  );

  test("rows go by length, every row once", () => {
    const segments = int32(
      [5, 40],
      [3, 40, 1, 17, 2].flatMap((n) => Array.from({ length: 40 }, (_, t) => +(t < n))),
    );
    expect(chunksOf(segments, 2, true)).toEqual([
      { rows: [2, 4], length: 16 },
      { rows: [0, 3], length: 32 },
      { rows: [1], length: 40 },
    ]);
    expect(chunksOf(segments, 3, false)).toEqual([
      { rows: [0, 1, 2], length: 40 },
      { rows: [3, 4], length: 40 },
    ]);
  });
});

describe("modalities", () => {
  test("both is code and text together; each side's two views differ in their dropout alone", async () => {
    const lossOf = async (modality: Stage2Loss["modality"]) =>
      (await updates({ ...PAPER_CONTRASTIVE, modality }, null)).metrics[0]!;
    const [code, text, both] = [await lossOf("code"), await lossOf("text"), await lossOf("both")];
    expect(both["loss"]).toBeCloseTo(code["loss"]! + text["loss"]!, 5);
    expect(both["loss_code"]).toBeCloseTo(code["loss"]!, 6);
    expect(both["accuracy"]).toBeCloseTo((code["accuracy"]! + text["accuracy"]!) / 2, 6);
    for (const { positive_similarity } of [code, text]) {
      expect(positive_similarity).toBeLessThan(0.9999);
      expect(positive_similarity).toBeGreaterThan(0.7);
    }
  });
});

describe("a learned temperature", () => {
  const learned = (temperature: { learn: number; min?: number; max?: number }): Stage2Loss => ({
    ...PAPER_CONTRASTIVE,
    temperature,
  });

  test.each([null, 16])(
    "is reported as the update had it, and moves against its gradient (chunk %s)",
    async (chunk) => {
      const { metrics, state } = await updates(learned({ learn: 0.2 }), chunk, { steps: 2 });
      expect(metrics[0]!["temperature"]).toBeCloseTo(0.2, 6);
      // Adam's first step is the learning rate, whatever the gradient's size.
      expect(Math.abs(Math.log(metrics[1]!["temperature"]! / 0.2))).toBeCloseTo(1e-2, 4);
      const [after] = numbers(state[LOG_TEMPERATURE]);
      expect(Math.exp(after!)).not.toBeCloseTo(metrics[1]!["temperature"]!, 4);
    },
  );

  test("stays within its bounds, and feels no weight decay", async () => {
    const { metrics } = await updates(learned({ learn: 0.2, min: 0.19, max: 0.21 }), null, { steps: 12, rate: 5e-2 });
    for (const { temperature } of metrics) {
      expect(temperature).toBeGreaterThanOrEqual(0.19 - 1e-6);
      expect(temperature).toBeLessThanOrEqual(0.21 + 1e-6);
    }
    expect(metrics.some(({ temperature }) => Math.abs(temperature! - 0.2) > 0.0099)).toBe(true);
    // One row in all texts and codes: no gradient, so nothing but decay could move it.
    const same = Object.fromEntries(
      Object.entries(batchOf(4)).map(([name, { dims, data }]) => {
        const width = dims[1] ?? 0;
        return [
          name,
          name === "row_ids"
            ? int32(dims, data as Int32Array)
            : int32(
                dims,
                [...data].map((_, i) => Number(data[i % width])),
              ),
        ];
      }),
    );
    const still = await updates({ ...learned({ learn: 0.2 }), duplicates: "mask" }, null, { steps: 2, given: same });
    expect(still.metrics[1]).toMatchObject({ loss: 0, anchors_without_negatives: 8 });
    expect(still.metrics[1]!["temperature"]).toBeCloseTo(0.2, 6);
  });
});

test("rows of equal tokens have equal numbers", () => {
  expect([...equalRows(int32([5, 2], [1, 2, 2, 1, 1, 2, 258, 1, 2, 1])).data]).toEqual([0, 1, 0, 3, 1]);
  const text = [...equalRows(batch["text_ids"]!).data];
  expect(text.slice(60)).toEqual(text.slice(0, 4));
  expect(equalRows(batch["code_ids"]!).data[59]).toBe(equalRows(batch["code_ids"]!).data[5]);
});

test("a block of anchors: all where they are few, 512 of 8,192 pairs", () => {
  expect([blockRows(64), blockRows(1024), blockRows(8192), blockRows(8192, 100)]).toEqual([128, 2048, 512, 100]);
});
