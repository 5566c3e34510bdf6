import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { float32, int32 } from "../base/index.js";
import {
  checkpointsFolder,
  latestCheckpoint,
  listCheckpoints,
  pruneCheckpoints,
  readCheckpoint,
  removeLeftovers,
  writeCheckpoint,
} from "./checkpoint.js";

let run: string;
beforeEach(async () => {
  run = await mkdtemp(join(tmpdir(), "lodestone-checkpoint-"));
});
afterEach(() => rm(run, { recursive: true, force: true }));

function write(step: number, loss: number | null = null): Promise<string> {
  return writeCheckpoint(
    run,
    {
      stage: "stage1",
      step,
      rngKey: [1, 2],
      position: { epoch: 0, index: step, objective: null },
      config: { model: { width: 4 } },
      inputs: { tokenizer: "t" },
      loss,
    },
    { w: float32([2], [step, 0.1]), step: int32([], [step]) },
  );
}

async function damage(path: string): Promise<void> {
  const file = await open(join(path, "state.safetensors"), "r+");
  const { size } = await file.stat();
  await file.write(Buffer.of(0x55), 0, 1, size - 6); // One byte of a weight.
  await file.close();
}

test("what is written is read back, bit for bit", async () => {
  const path = await write(10);
  expect(path).toBe(join(run, "checkpoints", "step-00000010"));
  const { meta, state } = await readCheckpoint(path);
  expect(meta).toMatchObject({ stage: "stage1", step: 10, position: { epoch: 0, index: 10, objective: null } });
  expect(state).toEqual({ w: float32([2], [10, 0.1]), step: int32([], [10]) });
  expect(await readdir(checkpointsFolder(run))).toEqual(["step-00000010"]);
});

describe("damage", () => {
  test("one changed byte is found, and named", async () => {
    const path = await write(10);
    await damage(path);
    await expect(readCheckpoint(path)).rejects.toMatchObject({ code: "checkpoint.corrupt" });
    await expect(readCheckpoint(path)).rejects.toThrow(/SHA-256/);
  });

  test.each([
    ["cut short", (path: string) => writeFile(join(path, "state.safetensors"), "x")],
    ["without its state", (path: string) => rm(join(path, "state.safetensors"))],
    ["with half a checkpoint.json", (path: string) => writeFile(join(path, "checkpoint.json"), '{"format": 1')],
    ["of no format", (path: string) => writeFile(join(path, "checkpoint.json"), '{"format": 0}')],
  ])("%s", async (_, spoil) => {
    const path = await write(10);
    await spoil(path);
    await expect(readCheckpoint(path)).rejects.toMatchObject({ code: "checkpoint.corrupt" });
  });

  test("one of a newer version is whole: it is named, and nothing older is taken in its place", async () => {
    await write(10);
    await writeFile(join(await write(20), "checkpoint.json"), '{"format": 9}');
    await expect(latestCheckpoint(run)).rejects.toMatchObject({ code: "checkpoint.newer" });
  });

  test("the newest intact one is found; where none is intact that is an error; a new run has none", async () => {
    expect(await latestCheckpoint(run)).toEqual({ checkpoint: undefined, damaged: [] });
    const [old, young] = [await write(10), await write(20)];
    expect((await latestCheckpoint(run)).checkpoint?.meta.step).toBe(20);
    await damage(young);
    const { checkpoint, damaged } = await latestCheckpoint(run);
    expect(checkpoint?.path).toBe(old);
    expect(damaged.map((error) => error.code)).toEqual(["checkpoint.corrupt"]);
    await damage(old);
    await expect(latestCheckpoint(run)).rejects.toMatchObject({ code: "checkpoint.corrupt" });
  });

  test("a folder that is no checkpoint", async () => {
    await expect(readCheckpoint(join(run, "nothing"))).rejects.toMatchObject({ code: "checkpoint.missing" });
  });
});

test("NaN and infinity are never written", async () => {
  await write(1);
  const meta = {
    stage: "s",
    step: 2,
    rngKey: [0, 0] as [number, number],
    position: {},
    config: {},
    inputs: {},
    loss: null,
  };
  for (const bad of [NaN, -Infinity]) {
    const writing = writeCheckpoint(run, meta, { w: float32([2], [1, bad]) });
    await expect(writing).rejects.toMatchObject({ code: "train.not-finite" });
  }
  expect(await readdir(checkpointsFolder(run))).toEqual(["step-00000001"]);
});

describe("retention", () => {
  const steps = async (): Promise<number[]> => (await listCheckpoints(run)).map(({ step }) => step);

  test("the last two stay", async () => {
    for (const step of [5, 10, 15, 20]) await write(step);
    await pruneCheckpoints(run, { last: 2, best: false });
    expect(await steps()).toEqual([15, 20]);
  });

  test("and the best", async () => {
    for (const [step, loss] of [
      [5, 3],
      [10, 1.5],
      [15, 2],
      [20, 1.75],
      [25, null],
    ] as const) {
      await write(step, loss);
    }
    await pruneCheckpoints(run, { last: 1, best: true });
    expect(await steps()).toEqual([10, 25]);
  });

  test("numbers past eight digits sort as numbers", async () => {
    for (const step of [99_999_999, 100_000_000]) await write(step);
    expect(await steps()).toEqual([99_999_999, 100_000_000]);
  });
});

test("half-written and half-removed ones are no checkpoints, and are cleared away", async () => {
  await write(10);
  for (const name of ["step-00000020.partial", "step-00000005.old"]) {
    await mkdir(join(checkpointsFolder(run), name));
    await writeFile(join(checkpointsFolder(run), name, "state.safetensors"), "half");
  }
  expect(await listCheckpoints(run)).toHaveLength(1);
  await removeLeftovers(run);
  expect(await readdir(checkpointsFolder(run))).toEqual(["step-00000010"]);
});

test("checkpoint.json is readable by people", async () => {
  const text = await readFile(join(await write(10, 2.5), "checkpoint.json"), "utf8");
  expect(text).toContain('\n  "step": 10,\n');
  expect(text).toContain('"loss": 2.5');
});
