import { describe, expect, test } from "vitest";
import { toyIdentifiers, toyTokenizer } from "../../test/helpers/pretrain.js";
import { float32, int32, Rng, type Tensor } from "../base/index.js";
import { createEngine } from "../engine/index.js";
import { initialise, sizeWith } from "../model/index.js";
import { PAPER_CONTRASTIVE } from "./losses/index.js";
import { initialState, type Stage, type UpdateOptions } from "./programs/index.js";
import { Stage1Batches } from "./stage1-batches.js";
import { maskedChunk, stage1Steps, stage2Steps, type Step } from "./step.js";

const rng = Rng.fromSeed(8);
const model = sizeWith("nano", { vocabSize: 1000, width: 8, heads: 2, layers: 1, maxLength: 32 });
const update: UpdateOptions = { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.1, clip: 0.5 };

async function stage1Batch(): Promise<Record<string, Tensor>> {
  const source = new Stage1Batches({
    documents: Array.from({ length: 6 }, (_, i) => ({
      lang: "c" as const,
      text: `int v${i} = v_a * ${i};`.repeat(i + 1),
    })),
    tokenizer: toyTokenizer,
    identifiers: toyIdentifiers,
    objective: "P",
    masking: { rate: 0.3, replacement: "full" },
    share: 1,
    rows: 5,
    length: 16,
    steps: 9,
    rng,
  });
  return { ...(await source.prepare(source.start, 0)).tensors };
}

function stage2Batch(): Record<string, Tensor> {
  const draw = rng.split("pairs");
  const side = (length: number): { ids: Tensor; segments: Tensor } => {
    const segments = Int32Array.from({ length: 7 * length }, (_, at) =>
      at % length < 3 + ((at / length) % 4) ? 1 : 0,
    );
    return {
      ids: int32(
        [7, length],
        segments.map((s) => (s === 1 ? 3 + draw.int(900) : 0)),
      ),
      segments: int32([7, length], segments),
    };
  };
  const [text, code] = [side(8), side(12)];
  return {
    text_ids: text.ids,
    text_segments: text.segments,
    code_ids: code.ids,
    code_segments: code.segments,
    row_ids: int32([7], [0, 1, 2, 3, 4, 5, 6]),
  };
}

/** Two updates; metrics of both and the state after them. */
async function updates(step: Step, stage: Stage, batch: Record<string, Tensor>): Promise<Record<string, number[]>> {
  const state = { ...initialState(model, initialise(model, rng), update, stage), ...step.scratch };
  const session = await createEngine("reference").open(step.programs, state);
  const seen: Record<string, number[]> = {};
  for (let index = 0; index < 2; index++) {
    const key = int32([2], rng.split("dropout", index).keyInt32);
    const outputs = await step.run(session, { ...batch, dropout_key: key, learning_rate: float32([], [1e-2]) });
    for (const [name, { data }] of Object.entries(outputs)) seen[`${name} ${index}`] = [Number(data[0])];
  }
  for (const [name, { data }] of Object.entries(await session.read())) {
    if (name in step.scratch)
      expect(
        data.every((value) => value === 0),
        name,
      ).toBe(true);
    else seen[name] = Array.from(data, Number);
  }
  await session.close();
  return seen;
}

function expectEqual(actual: Record<string, number[]>, expected: Record<string, number[]>): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, values] of Object.entries(expected)) {
    const worst = Math.max(...values.map((value, i) => Math.abs(value - actual[name]![i]!)));
    // Sums are taken in another order; Adam's first steps turn a rounding error in a tiny gradient into up to the rate.
    expect(worst, name).toBeLessThan(name.startsWith("adam.v") ? 1e-6 : 1e-4);
  }
}

describe("an update in chunks is the update of the whole batch, dropout on", () => {
  test.each([1, 2, 4, 5, 9])("stage 1, %i rows at a time", async (chunk) => {
    const batch = await stage1Batch();
    const whole = await updates(stage1Steps(model, update, null), "stage1", batch);
    expectEqual(await updates(stage1Steps(model, update, chunk), "stage1", batch), whole);
  });

  test.each([2, 3, 7, 20])("stage 2, %i pairs at a time", async (chunk) => {
    const whole = await updates(stage2Steps(model, PAPER_CONTRASTIVE, update, null), "stage2", stage2Batch());
    expectEqual(await updates(stage2Steps(model, PAPER_CONTRASTIVE, update, chunk), "stage2", stage2Batch()), whole);
  });
});

test("chunks split the masked places among them, with the whole batch's weights", async () => {
  const batch = { ...(await stage1Batch()), dropout_key: int32([2], [1, 2]) };
  const places = (of: Readonly<Record<string, Tensor>>, shift: number): string[] =>
    [...of["masked_index"]!.data].flatMap((at, i) => {
      const weight = Number(of["masked_weight"]!.data[i]);
      const [label, objective] = [of["masked_label"]!.data[i], of["objective"]!.data[i]];
      return weight > 0 ? [`${Number(at) + shift} ${label} ${objective} ${weight}`] : [];
    });
  const parts = [
    [0, 2],
    [2, 3],
    [3, 5],
  ].flatMap(([start, end]) => places(maskedChunk(batch, start!, end!), start! * 16));
  expect(parts).toEqual(places(batch, 0));
  expect([...maskedChunk(batch, 3, 5)["row_ids"]!.data]).toEqual([3, 4]);
});

test("with skipNotFinite a gradient that is not finite changes nothing, and any other what it would change anyway", async () => {
  const key = { dropout_key: int32([2], [1, 2]), learning_rate: float32([], [1e-2]) };
  const batch: Record<string, Tensor> = { ...(await stage1Batch()), ...key };
  const spoilt = (batch["masked_weight"]!.data as Float32Array).slice().fill(Infinity, 0, 1);
  const poison = { ...batch, masked_weight: float32(batch["masked_weight"]!.dims, spoilt) };
  for (const chunk of [null, 2]) {
    const [plain, guarded] = [
      stage1Steps(model, update, chunk),
      stage1Steps(model, { ...update, skipNotFinite: true }, chunk),
    ];
    const start = initialState(model, initialise(model, rng), update, "stage1");
    const names = Object.keys(start);
    const engine = createEngine("onnxruntime");
    const [left, right] = [
      await engine.open(plain.programs, { ...start, ...plain.scratch }),
      await engine.open(guarded.programs, { ...start, ...guarded.scratch }),
    ];
    const { grad_norm } = await guarded.run(right, poison);
    expect(Number.isFinite(grad_norm!.data[0])).toBe(false);
    expect(await right.read(names)).toEqual(await left.read(names));
    await plain.run(left, batch);
    await guarded.run(right, batch);
    expect(await right.read(names)).toEqual(await left.read(names));
    await left.close();
    await right.close();
  }
});
