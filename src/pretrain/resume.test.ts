import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { float32 } from "../base/index.js";
import { checkpointsFolder, writeCheckpoint, type Checkpoint } from "./checkpoint.js";
import { firstDifference, resumePoint, type RunIdentity } from "./resume.js";
import type { TrainEvent } from "./types.js";

let run: string;
beforeEach(async () => {
  run = await mkdtemp(join(tmpdir(), "lodestone-resume-"));
});
afterEach(() => rm(run, { recursive: true, force: true }));

const identity: RunIdentity = {
  stage: "stage1",
  rngKey: [1, 2],
  config: { model: { width: 256, layers: 6 }, training: { steps: 100, checkpoints: { keep: 2 } } },
  inputs: { tokenizer: "aaaa", corpus: "bbbb", initial: "seed" },
};

function write(step: number): Promise<string> {
  const { stage, rngKey, config, inputs } = identity;
  const meta = { stage, step, rngKey: [...rngKey] as [number, number], position: {}, config, inputs, loss: null };
  return writeCheckpoint(run, meta, { w: float32([1], [step]) });
}

async function point(of: RunIdentity = identity): Promise<{ events: TrainEvent[]; found: Checkpoint | undefined }> {
  const events: TrainEvent[] = [];
  const running = resumePoint(run, of);
  for (;;) {
    const { done, value } = await running.next();
    if (done === true) return { events, found: value };
    events.push(value);
  }
}

test("a new folder has none; else the newest", async () => {
  expect((await point()).found).toBeUndefined();
  await write(5);
  await write(10);
  expect((await point()).found?.meta.step).toBe(10);
});

test("a damaged one is passed over, with a warning, and set aside", async () => {
  await write(5);
  await writeFile(join(await write(10), "state.safetensors"), "spoilt");
  const { events, found } = await point();
  expect(found?.meta.step).toBe(5);
  expect(events).toMatchObject([{ kind: "warning", code: "checkpoint.corrupt" }]);
  expect(events[0]).toHaveProperty("message", expect.stringContaining("going on from step 5 instead"));
  expect(await readdir(checkpointsFolder(run))).toEqual(["step-00000005", "step-00000010.damaged"]);
});

test.each<[string, RunIdentity, RegExp]>([
  [
    "another width",
    { ...identity, config: { ...identity.config, model: { width: 128, layers: 6 } } },
    /expected model\.width 256 as in the checkpoint, got 128/,
  ],
  [
    "another tokenizer",
    { ...identity, inputs: { ...identity.inputs, tokenizer: "cccc" } },
    /expected tokenizer aaaa .* got cccc/,
  ],
  ["another corpus", { ...identity, inputs: { ...identity.inputs, corpus: "dddd" } }, /expected corpus bbbb/],
  ["another stage", { ...identity, stage: "stage2" }, /expected stage stage1/],
  [
    "more steps",
    { ...identity, config: { ...identity.config, training: { steps: 200 } } },
    /expected training\.steps 100 .* got 200/,
  ],
])("%s is refused, naming the difference", async (_, other, message) => {
  await write(5);
  await expect(point(other)).rejects.toMatchObject({ code: "checkpoint.mismatch" });
  await expect(point(other)).rejects.toThrow(message);
});

test.each([{ checkpoints: { keep: 9 } }, { chunk: 4 }])(
  "how often checkpoints are written, and how much is computed at a time, may change: %o",
  async (changed) => {
    await write(5);
    const other = { ...identity, config: { ...identity.config, training: { steps: 100, ...changed } } };
    expect((await point(other)).found?.meta.step).toBe(5);
  },
);

test("firstDifference", () => {
  expect(firstDifference({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, "")).toBeUndefined();
  expect(firstDifference({ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }, "")).toEqual({ at: "a.1.b", left: 2, right: 3 });
  expect(firstDifference({ a: 1 }, { a: 1, c: null }, "")).toEqual({ at: "c", left: undefined, right: null });
});
