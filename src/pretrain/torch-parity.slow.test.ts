import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect } from "vitest";
import { float32, int32, Rng, type Tensor } from "../base/index.js";
import { createEngine, type Engine, type EngineSession } from "../engine/index.js";
import { initialise, sizeWith } from "../model/index.js";
import { python, testWithPython } from "../../test/helpers/requires.js";
import { startSmallRun } from "../../test/helpers/pretrain-runs.js";
import { initialState, latestCheckpoint, PAPER_CONTRASTIVE, stage1Step, stage2Step, type TrainEvent } from "./index.js";

const UPDATE = { betas: [0.9, 0.999] as const, eps: 1e-8, weightDecay: 0.1, clip: 1, embeddingRate: 2 };
const CONFIG = sizeWith("nano", {
  ...{ dropout: 0.1, vocabSize: 500, width: 64, heads: 4, layers: 2, maxLength: 64 },
  ...{ headBias: "local", contextInit: 0.5 },
});
const rng = Rng.fromSeed(11);
const range = <T>(count: number, at: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => at(i));
const ids = (rows: number, length: number): Tensor =>
  int32(
    [rows, length],
    range(rows * length, () => 3 + rng.int(490)),
  );
const MASKED = 40;
const shared = {
  row_ids: int32([4], [4, 5, 6, 7]),
  dropout_key: int32([2], [17, -23]),
  learning_rate: float32([], [1e-3]),
};
const stages = {
  stage1: {
    step: stage1Step(CONFIG, UPDATE),
    batch: {
      ...shared,
      input_ids: ids(4, 48),
      positions: int32(
        [4, 48],
        range(4 * 48, (i) => i % 24),
      ),
      segments: int32(
        [4, 48],
        range(4 * 48, (i) => (i % 48 < 24 ? 1 : i % 48 < 44 ? 2 : 0)),
      ),
      masked_index: int32(
        [MASKED],
        range(MASKED, (i) => 4 * i + 1),
      ),
      masked_label: int32(
        [MASKED],
        range(MASKED, () => rng.int(500)),
      ),
      masked_weight: float32(
        [MASKED],
        range(MASKED, (i) => (i < 30 ? 1 / 30 : 0)),
      ),
      objective: int32(
        [MASKED],
        range(MASKED, (i) => i % 2),
      ),
    },
  },
  stage2: {
    step: stage2Step(CONFIG, PAPER_CONTRASTIVE, UPDATE),
    batch: {
      ...shared,
      text_ids: ids(4, 16),
      text_segments: int32(
        [4, 16],
        range(4 * 16, (i) => (i % 16 < 11 ? 1 : 0)),
      ),
      code_ids: ids(4, 32),
      code_segments: int32(
        [4, 32],
        range(4 * 32, (i) => (i % 32 < 25 ? 1 : 0)),
      ),
    },
  },
} as const;
type Stage = keyof typeof stages;
const torch = (options = {}): Engine => createEngine("torch", { python: python!, device: "cpu", ...options });

async function run(engine: Engine, stage: Stage, use: (session: EngineSession) => Promise<void>): Promise<void> {
  const state = initialState(CONFIG, initialise(CONFIG, Rng.fromSeed(1)), UPDATE, stage);
  const session = await engine.open({ step: stages[stage].step }, state, { threads: 1 });
  try {
    await use(session);
  } finally {
    await session.close();
  }
}

/** |a - b| over the size of b, for the worst tensor, each measured in the L2 norm. */
function distance(found: Record<string, Tensor>, expected: Record<string, Tensor>): readonly [number, string] {
  let worst: readonly [number, string] = [0, ""];
  for (const [name, { data }] of Object.entries(expected)) {
    let [difference, size] = [0, 0];
    data.forEach((value, i) => {
      difference += (Number(value) - Number(found[name]!.data[i])) ** 2;
      size += Number(value) ** 2;
    });
    const relative = Math.sqrt(difference / Math.max(size, 1e-30));
    if (!(relative <= worst[0])) worst = [relative, name];
  }
  return worst;
}

/** The key's bias moves no softmax: its gradient is rounding alone, and so is what follows from it. */
function withoutKeyBias(state: Record<string, Tensor>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(state).filter(([name]) => !name.endsWith("c_attn.bias")));
}

describe.each(["stage1", "stage2"] as const)("%s", (stage) => {
  const { batch } = stages[stage];

  testWithPython("one step from the same state: outputs, moments and parameters to 1e-5", async () => {
    const states: Record<string, Tensor>[] = [];
    const outputs: Record<string, Tensor>[] = [];
    for (const engine of [createEngine("onnxruntime"), torch()]) {
      await run(engine, stage, async (session) => {
        outputs.push(await session.run("step", batch));
        states.push(withoutKeyBias(await session.read()));
      });
    }
    expect(distance(outputs[1]!, outputs[0]!)[0], distance(outputs[1]!, outputs[0]!)[1]).toBeLessThan(1e-5);
    // v is a square: its error is twice that of the gradient.
    expect(distance(states[1]!, states[0]!)[0], distance(states[1]!, states[0]!)[1]).toBeLessThan(2e-5);
  });

  testWithPython("checkpointing the layers changes no bit", async () => {
    const states: Record<string, Tensor>[] = [];
    for (const checkpoint of [false, true]) {
      await run(torch({ checkpoint }), stage, async (session) => {
        await session.run("step", batch);
        states.push(await session.read());
      });
    }
    expect(states[1]).toEqual(states[0]);
  });
});

testWithPython("half precision learns the same batch by heart", async () => {
  const losses: Record<string, number> = {};
  for (const precision of ["fp32", "bf16", "fp16"] as const) {
    await run(torch({ precision }), "stage1", async (session) => {
      for (let i = 0; i < 15; i++) {
        losses[precision] = Number((await session.run("step", stages.stage1.batch))["loss"]!.data[0]);
      }
    });
  }
  expect(losses["fp32"]).toBeLessThan(4);
  expect(Math.abs(losses["bf16"]! / losses["fp32"]! - 1)).toBeLessThan(0.05);
  expect(Math.abs(losses["fp16"]! / losses["fp32"]! - 1)).toBeLessThan(0.02);
});

describe("runs", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "lodestone-parity-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function follow(events: AsyncIterable<TrainEvent>): Promise<{ losses: number[]; path: string }> {
    const losses: number[] = [];
    for await (const event of events) {
      if (event.kind === "step") losses.push(event.metrics["loss"]!);
      if (event.kind === "done") return { losses, path: event.path };
    }
    throw new Error("the run did not end");
  }

  testWithPython("200 steps of stage 1 to 1e-3 in the loss", async () => {
    const small = { stage: "stage1", steps: 200, everySteps: null, threads: 1 } as const;
    const ours = await follow(startSmallRun({ ...small, out: join(folder, "ort"), engine: "onnxruntime" }));
    const theirs = await follow(startSmallRun({ ...small, out: join(folder, "torch"), engine: torch() }));
    expect(theirs.losses).toHaveLength(200);
    const worst = Math.max(...theirs.losses.map((loss, i) => Math.abs(loss - ours.losses[i]!) / ours.losses[i]!));
    expect(worst).toBeLessThan(1e-3);
  });

  /** Steps 1-3 on one engine, 4-6 on the other, 7-9 on the first again, in one run folder. */
  testWithPython("a run goes from engine to engine in the middle and stays the same run", async () => {
    for (const stage of ["stage1", "stage2"] as const) {
      const common = { stage, steps: 9, everySteps: 3, threads: 1 } as const;
      const whole = await follow(
        startSmallRun({ ...common, out: join(folder, `${stage}-whole`), engine: "onnxruntime" }),
      );
      const mixed: number[] = [];
      const out = join(folder, `${stage}-mixed`);
      for (const engine of ["onnxruntime", torch(), "onnxruntime"] as const) {
        const controller = new AbortController();
        let count = 0;
        for await (const event of startSmallRun({ ...common, out, engine }, controller.signal)) {
          if (event.kind === "step") {
            mixed.push(event.metrics["loss"]!);
            if (++count === 3) controller.abort();
          }
        }
      }
      expect(mixed).toHaveLength(9);
      mixed.forEach((loss, i) => expect(Math.abs(loss / whole.losses[i]! - 1), `${stage} ${i}`).toBeLessThan(1e-4));
      const ends = [join(folder, `${stage}-whole`), out].map(async (run) => (await latestCheckpoint(run)).checkpoint!);
      const [expected, found] = await Promise.all(ends);
      expect(found!.meta.step).toBe(9);
      expect(found!.meta.position).toEqual(expected!.meta.position);
    }
  });
});
