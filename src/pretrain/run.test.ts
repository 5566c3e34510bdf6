import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ToyEngine, toyIdentifiers, toyTokenizer } from "../../test/helpers/pretrain.js";
import { float32, lockFolder, Rng } from "../base/index.js";
import { parameterShapes, sizeWith } from "../model/index.js";
import { latestCheckpoint, readCheckpoint } from "./checkpoint.js";
import { startingWeights, weightsOf } from "./run.js";
import { runStage1, stage1Metrics, type Stage1Options } from "./stage1.js";
import { runStage2, type Stage2Options } from "./stage2.js";
import type { TrainEvent } from "./types.js";

let out: string;
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "lodestone-run-"));
});
afterEach(() => rm(out, { recursive: true, force: true }));

const model = sizeWith("nano", { vocabSize: 1000, width: 8, heads: 2, layers: 1, maxLength: 64 });

function stage1(changes: Partial<Stage1Options> = {}): Stage1Options {
  return {
    config: { steps: 6, batch: 2, length: 32, checkpoints: { everySteps: 2 } },
    model,
    tokenizer: toyTokenizer,
    identifiers: toyIdentifiers,
    corpus: {
      hash: "documents",
      documents: async function* () {
        for (let i = 0; i < 9; i++) yield { lang: "c" as const, text: `int v${i} = v_a * ${i};`.repeat(i + 1) };
      },
    },
    out,
    engine: new ToyEngine(),
    ...changes,
  };
}

function stage2(changes: Partial<Stage2Options> = {}): Stage2Options {
  return {
    config: { steps: 6, batch: 4, textLength: 16, codeLength: 32, checkpoints: { everySteps: 2 } },
    model,
    tokenizer: toyTokenizer,
    corpus: {
      hash: "pairs",
      pairs: async function* () {
        for (let i = 0; i < 20; i++) yield { summary: `Does ${i}`, code: `f${i}() { v += ${i} }`, body: `v += ${i}` };
      },
    },
    out,
    engine: new ToyEngine(),
    ...changes,
  };
}

async function all(events: AsyncGenerator<TrainEvent>): Promise<TrainEvent[]> {
  const seen: TrainEvent[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

const STAGES = [
  ["stage1", (changes: { signal?: AbortSignal; engine?: ToyEngine; out?: string }) => runStage1(stage1(changes))],
  ["stage2", (changes: { signal?: AbortSignal; engine?: ToyEngine; out?: string }) => runStage2(stage2(changes))],
] as const;

describe.each(STAGES)("%s", (stage, run) => {
  test("runs, and a second call finds it done without opening an engine", async () => {
    const events = await all(run({}));
    expect(events.find(({ kind }) => kind === "start")).toEqual({ kind: "start", stage, step: 0, steps: 6 });
    expect(events.at(-1)).toMatchObject({ kind: "done", step: 6 });
    const engine = new ToyEngine();
    const again = await all(run({ engine }));
    expect(again.map(({ kind }) => kind)).toEqual(["start", "done"]);
    expect(engine.opened).toBe(0);
  });

  test("stopped and called again it ends as if nothing had happened; the engine is closed each time", async () => {
    await all(run({}));
    const expected = (await latestCheckpoint(out)).checkpoint!.state;
    const other = join(out, "interrupted");
    const engine = new ToyEngine();
    for (let stop = 1; stop < 6; stop += 2) {
      const controller = new AbortController();
      for await (const event of run({ engine, out: other, signal: controller.signal })) {
        if (event.kind === "step" && event.step === stop) controller.abort();
      }
    }
    await all(run({ engine, out: other }));
    expect((await latestCheckpoint(other)).checkpoint!.state).toEqual(expected);
    expect([engine.opened, engine.closed]).toEqual([4, 4]);
  });

  test("a second process in the folder is refused, and the folder is free afterwards", async () => {
    const release = await lockFolder(out);
    await expect(all(run({}))).rejects.toMatchObject({ code: "output.locked" });
    await release();
    await all(run({}));
    await (
      await lockFolder(out)
    )();
  });

  test("a failure releases the folder and closes the engine", async () => {
    const engine = new ToyEngine((step) => (step === 3 ? NaN : 1));
    await expect(all(run({ engine }))).rejects.toMatchObject({ code: "train.not-finite" });
    expect(engine.closed).toBe(1);
    expect(await readdir(out)).toEqual(["checkpoints", "metrics.jsonl"]);
  });

  test("a damaged checkpoint is passed over, with a warning", async () => {
    const controller = new AbortController();
    for await (const event of run({ signal: controller.signal })) {
      if (event.kind === "step" && event.step === 5) controller.abort();
    }
    await writeFile(join(out, "checkpoints", "step-00000005", "state.safetensors"), "spoilt");
    const events = await all(run({}));
    expect(events[0]).toMatchObject({ kind: "warning", code: "checkpoint.corrupt" });
    expect(events[1]).toMatchObject({ kind: "start", step: 4 });
    expect(events.at(-1)).toMatchObject({ kind: "done", step: 6 });
  });

  test("aborted while data is read: stopped, nothing written", async () => {
    const events = await all(run({ signal: AbortSignal.abort() }));
    expect(events.at(-1)).toEqual({ kind: "stopped", step: 0 });
    expect(await readdir(out)).toEqual([]);
  });
});

describe("what is refused before anything is written", () => {
  test.each([
    ["an unknown key", { config: { steps: 1, lenght: 2 } }, "config.unknown-key"],
    ["rows longer than the model takes", { config: { steps: 1, length: 65 } }, "config.invalid"],
    ["another pad token", { model: { ...model, padId: 3 } }, "tokenizer.mismatch"],
    ["fewer vectors than tokens", { model: { ...model, vocabSize: 999 } }, "tokenizer.mismatch"],
    [
      "weights of another shape",
      { initial: { "wte.weight": float32([1, 8], new Array(8).fill(0)) } },
      "weights.mismatch",
    ],
  ])("%s", async (_, changes, code) => {
    await expect(all(runStage1(stage1(changes as Partial<Stage1Options>)))).rejects.toMatchObject({ code });
    expect(await readdir(out)).toEqual([]);
  });

  test("a folder of another run", async () => {
    await all(runStage1(stage1()));
    const wider = sizeWith("nano", { vocabSize: 1000, width: 16, heads: 2, layers: 1, maxLength: 64 });
    await expect(all(runStage1(stage1({ model: wider })))).rejects.toThrow(/expected model\.width 8 .* got 16/);
    const renamed = { ...toyTokenizer, hash: "other" };
    await expect(all(runStage1(stage1({ tokenizer: renamed })))).rejects.toMatchObject({ code: "checkpoint.mismatch" });
  });
});

describe("weights", () => {
  test("stage 2 begins with stage 1's", async () => {
    await all(runStage1(stage1()));
    const { checkpoint } = await latestCheckpoint(out);
    const initial = weightsOf(checkpoint!, model);
    expect(Object.keys(initial)).toEqual(Object.keys(parameterShapes(model)));
    const second = join(out, "second");
    let seen: unknown;
    const engine = new ToyEngine();
    const open = engine.open.bind(engine);
    engine.open = (programs, state) => {
      seen = state["wte.weight"];
      expect(state["step"]!.data[0]).toBe(0);
      return open(programs, state);
    };
    await all(runStage2(stage2({ initial, out: second, engine })));
    expect(seen).toEqual(initial["wte.weight"]);
    // And the checkpoint remembers with which.
    await expect(all(runStage2(stage2({ out: second })))).rejects.toThrow(/expected initial [0-9a-f]{64} .* got seed/);
    expect((await readCheckpoint(join(second, "checkpoints", "step-00000006"))).meta.inputs["corpus"]).toBe("pairs");
  });

  test("missing tensors: pooling's are initialised, others are an error", () => {
    const pooled = { ...model, pooling: "weighted" as const };
    const plain = startingWeights(model, undefined, Rng.fromSeed(1));
    expect(startingWeights(pooled, plain, Rng.fromSeed(2))["pool.token_weight.weight"]!.dims).toEqual([1000, 1]);
    delete plain["ln_f.bias"];
    expect(() => startingWeights(model, plain, Rng.fromSeed(1))).toThrow(
      /expected ln_f\.bias \[8\], got no such tensor/,
    );
  });
});

test("stage 1's metrics are means over the masked tokens of each objective", () => {
  const outputs = {
    loss: 4,
    grad_norm: 2,
    loss_r: 1,
    loss_d: 3,
    correct_r: 0.1,
    correct_d: 0.3,
    weight_r: 0.25,
    weight_d: 0.75,
  };
  expect(stage1Metrics(outputs, { tokens: 9 })).toEqual({
    loss: 4,
    grad_norm: 2,
    loss_r: 4,
    accuracy_r: 0.4,
    loss_d: 4,
    accuracy_d: 0.3 / 0.75,
    tokens: 9,
  });
  expect(stage1Metrics({ ...outputs, weight_d: 0 }, {})).not.toHaveProperty("loss_d");
});
