import { mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { toyIdentifiers, toyTokenizer, ToySession, withoutClock } from "../../test/helpers/pretrain.js";
import { Rng, tensor, type Tensor } from "../base/index.js";
import { checkpointsFolder, latestCheckpoint, readCheckpoint } from "./checkpoint.js";
import { progressNote, trainLoop, type LoopOptions } from "./loop.js";
import { readMetrics } from "./metrics-file.js";
import { warmupLinear } from "./optimizer/index.js";
import type { RunIdentity } from "./resume.js";
import { Stage1Batches, type Stage1Position } from "./stage1-batches.js";
import type { TrainEvent } from "./types.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-loop-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const rng = Rng.fromSeed(4);
const identity: RunIdentity = { stage: "stage1", rngKey: rng.state.key, config: {}, inputs: {} };

function source(): Stage1Batches {
  return new Stage1Batches({
    documents: Array.from({ length: 9 }, (_, i) => ({
      lang: "c" as const,
      text: `int v${i} = v_a + ${i} * v${i};`.repeat(i + 1),
    })),
    tokenizer: toyTokenizer,
    identifiers: toyIdentifiers,
    objective: "P",
    masking: { rate: 0.15, replacement: "full" },
    share: 1,
    rows: 2,
    length: 32,
    steps: 20,
    rng,
  });
}

function options(session: ToySession, changes: Partial<LoopOptions<Stage1Position>> = {}): LoopOptions<Stage1Position> {
  const from = source();
  return {
    out: folder,
    identity,
    steps: 20,
    from: { step: 0, position: from.start },
    source: from,
    session,
    runStep: (running, batch) => running.run("step", batch),
    rng,
    learningRate: warmupLinear({ peak: 1e-3, warmup: 2, total: 20 }),
    checkpoints: { everySteps: 5, everySeconds: null, keep: 2, best: false },
    summarise: (outputs, stats) => ({ ...outputs, ...stats }),
    ...changes,
  };
}

const fresh = (): ToySession => new ToySession(new Float32Array(8));

async function all(loop: AsyncGenerator<TrainEvent>): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  for await (const event of loop) events.push(event);
  return events;
}

/** Goes on from the newest checkpoint of the folder, as a new process would. */
async function resumed(changes: Partial<LoopOptions<Stage1Position>> = {}): Promise<LoopOptions<Stage1Position>> {
  const { checkpoint } = await latestCheckpoint(folder);
  const { step, position } = checkpoint!.meta;
  return options(ToySession.resume(checkpoint!.state), {
    from: { step, position: position as Stage1Position, path: checkpoint!.path },
    ...changes,
  });
}

async function finalState(): Promise<Readonly<Record<string, Tensor>>> {
  const { checkpoint } = await latestCheckpoint(folder);
  expect(checkpoint!.meta.step).toBe(20);
  return checkpoint!.state;
}

async function uninterrupted(): Promise<{ state: Readonly<Record<string, Tensor>>; metrics: object[] }> {
  await all(trainLoop(options(fresh())));
  const result = { state: await finalState(), metrics: await timeless() };
  await rm(folder, { recursive: true, force: true });
  return result;
}

/** Metrics but for the speed, which no two runs share. */
async function timeless(): Promise<object[]> {
  return (await readMetrics(folder)).map((line) => {
    expect(line["seconds"]).toBeGreaterThanOrEqual(0);
    expect(line["engine_busy"]).toBeGreaterThan(0);
    expect(line["engine_busy"]).toBeLessThanOrEqual(1);
    expect(line["memory_gb"]).toBeGreaterThan(0.01);
    expect(line["tokens_per_second"]).toBeCloseTo(line["tokens"]! / line["seconds"]!, 6);
    return withoutClock(line);
  });
}

describe("a whole run", () => {
  test("steps in order, checkpoints every five, the last two kept, done last", async () => {
    const events = await all(trainLoop(options(fresh())));
    expect(events.flatMap((event) => (event.kind === "step" ? [event.step] : []))).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    expect(events.flatMap((event) => (event.kind === "checkpoint" ? [event.step] : []))).toEqual([5, 10, 15, 20]);
    expect(events.at(-1)).toEqual({ kind: "done", step: 20, path: join(checkpointsFolder(folder), "step-00000020") });
    expect(await readdir(checkpointsFolder(folder))).toEqual(["step-00000015", "step-00000020"]);
    expect(events.some((event) => event.kind === "progress" && event.done === 20 && event.total === 20)).toBe(true);
  });

  test("metrics: one line a step, with learning rate and the batch's numbers", async () => {
    await all(trainLoop(options(fresh())));
    const lines = await readMetrics(folder);
    expect(lines.map(({ step }) => step)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(lines[0]!["learning_rate"]).toBeCloseTo(5e-4, 10);
    expect(lines[19]!["learning_rate"]).toBeCloseTo(1e-3 / 18, 10);
    expect(lines[0]!["loss"]).toBe(10);
    expect(lines[0]!["tokens"]).toBeGreaterThan(50);
  });

  test("dropout's key changes with every step and depends on the step alone", async () => {
    const session = fresh();
    await all(trainLoop(options(session)));
    const keys = session.batches.map((batch) => [...batch["dropout_key"]!.data].join());
    expect(new Set(keys).size).toBe(20);
    expect(keys[7]).toBe(rng.split("dropout", 7).keyInt32.join());
  });

  test("the next batches are prepared while the engine runs", async () => {
    const log: string[] = [];
    const plain = source();
    const session = fresh();
    const run = session.run.bind(session);
    session.run = async (program, batch) => {
      log.push("run");
      const outputs = await run(program, batch);
      log.push("ran");
      return outputs;
    };
    await all(
      trainLoop(
        options(session, {
          steps: 3,
          source: {
            start: plain.start,
            prepare: (position, step) => {
              log.push(`prepare ${step}`);
              return plain.prepare(position, step);
            },
          },
        }),
      ),
    );
    expect(log).toEqual(["prepare 0", "run", "prepare 1", "prepare 2", "ran", "run", "ran", "run", "ran"]);
  });
});

describe("interruptions", () => {
  test.each([1, 7, 10, 19])(
    "stopped after step %i and resumed equals uninterrupted, metrics included",
    async (stop) => {
      const expected = await uninterrupted();
      const controller = new AbortController();
      const events: TrainEvent[] = [];
      for await (const event of trainLoop(options(fresh(), { signal: controller.signal }))) {
        events.push(event);
        if (event.kind === "step" && event.step === stop) controller.abort();
      }
      expect(events.at(-1)).toMatchObject({ kind: "stopped", step: stop });
      expect((await latestCheckpoint(folder)).checkpoint!.meta.step).toBe(stop);
      await all(trainLoop(await resumed()));
      expect(await finalState()).toEqual(expected.state);
      expect(await timeless()).toEqual(expected.metrics);
    },
  );

  test("a consumer that walks away loses what came after the checkpoint, and nothing else", async () => {
    const expected = await uninterrupted();
    for await (const event of trainLoop(options(fresh()))) if (event.kind === "step" && event.step === 8) break;
    const next = await resumed();
    expect(next.from.step).toBe(5);
    await all(trainLoop(next));
    expect(await finalState()).toEqual(expected.state);
    expect(await timeless()).toEqual(expected.metrics);
  });

  test("aborted from the start: a checkpoint of step 0, and no step", async () => {
    const events = await all(trainLoop(options(fresh(), { signal: AbortSignal.abort() })));
    expect(events.map(({ kind }) => kind)).toEqual(["checkpoint", "stopped"]);
  });
});

describe("what goes wrong", () => {
  test.each([NaN, Infinity])(
    "a loss of %f stops the run, names the step, keeps the last good checkpoint",
    async (loss) => {
      const session = new ToySession(new Float32Array(8), (step) => (step === 12 ? loss : 1));
      const running = all(trainLoop(options(session)));
      await expect(running).rejects.toMatchObject({ code: "train.not-finite" });
      await expect(running).rejects.toThrow(new RegExp(`step 13: expected a finite loss, got ${loss}`));
      await expect(running).rejects.toMatchObject({ fix: expect.stringContaining("step-00000010") as string });
      expect((await latestCheckpoint(folder)).checkpoint!.meta.step).toBe(10);
      expect((await readMetrics(folder)).at(-1)!.step).toBe(12);
    },
  );

  test("a failing engine or data source is reported, and the checkpoint stays", async () => {
    const session = fresh();
    const run = session.run.bind(session);
    session.run = (program, batch) =>
      session.batches.length === 7 ? Promise.reject(new Error("engine gone")) : run(program, batch);
    await expect(all(trainLoop(options(session)))).rejects.toThrow("engine gone");
    expect((await latestCheckpoint(folder)).checkpoint!.meta.step).toBe(5);
    const plain = source();
    const failing = {
      start: plain.start,
      prepare: (position: Stage1Position, step: number) =>
        step === 9 ? Promise.reject(new Error("data gone")) : plain.prepare(position, step),
    };
    await expect(all(trainLoop(await resumed({ source: failing })))).rejects.toThrow("data gone");
  });

  test("a checkpoint that cannot be written stops the run with the one before in place", async () => {
    // A file under the name that the temporary folder's content needs: refused whoever runs the test.
    const session = fresh();
    const read = session.read.bind(session);
    session.read = async () => {
      if (session.batches.length === 10) {
        await rename(checkpointsFolder(folder), `${folder}-aside`);
        await writeFile(checkpointsFolder(folder), "");
      }
      return read();
    };
    await expect(all(trainLoop(options(session)))).rejects.toMatchObject({ code: "output.unwritable" });
    await rm(checkpointsFolder(folder));
    await rename(`${folder}-aside`, checkpointsFolder(folder));
    expect((await latestCheckpoint(folder)).checkpoint!.meta.step).toBe(5);
    expect(await readdir(checkpointsFolder(folder))).toEqual(["step-00000005"]);
  });
});

test("the best checkpoint is the one with the lowest mean loss since the one before", async () => {
  const losses = [3, 3, 1, 1, 2, 2, 2, 2];
  const session = new ToySession(new Float32Array(8), (step) => losses[step]!);
  await all(
    trainLoop(options(session, { steps: 8, checkpoints: { everySteps: 2, everySeconds: null, keep: 1, best: true } })),
  );
  expect(await readdir(checkpointsFolder(folder))).toEqual(["step-00000004", "step-00000008"]);
  expect((await readCheckpoint(join(checkpointsFolder(folder), "step-00000004"))).meta.loss).toBe(1);
});

test("checkpoints by time", async () => {
  const policy = { everySteps: null, everySeconds: 1e-9, keep: 30, best: false };
  await all(trainLoop(options(fresh(), { steps: 4, checkpoints: policy })));
  expect(await readdir(checkpointsFolder(folder))).toHaveLength(4);
});

describe("updates that are left out", () => {
  /** Gradients that are NaN at some updates. */
  function spoiltAt(...steps: number[]): ToySession {
    const session = fresh();
    const run = session.run.bind(session);
    let step = 0;
    session.run = async (program, batch) => {
      const outputs = await run(program, batch);
      return steps.includes(++step) ? { ...outputs, grad_norm: tensor("float32", [], Float32Array.of(NaN)) } : outputs;
    };
    return session;
  }

  test("are told of and counted, and the run goes on", async () => {
    const events = await all(trainLoop(options(spoiltAt(3, 4, 9), { skipsInARow: 2 })));
    const warnings = events.flatMap((event) => (event.kind === "warning" ? [event.message] : []));
    expect(warnings).toHaveLength(3);
    expect(warnings[1]).toBe("step 4: left out, its gradient is not finite (2 in a row)");
    const lines = await readMetrics(folder);
    expect(lines.flatMap((line) => (line["skipped"] === 1 ? [line.step] : []))).toEqual([3, 4, 9]);
    expect(lines[2]).not.toHaveProperty("loss");
    expect(lines[2]).toHaveProperty("tokens");
    expect(events.at(-1)).toMatchObject({ kind: "done", step: 20 });
  });

  test("stop the run where there are too many in a row, or where none may be", async () => {
    const loop = trainLoop(options(spoiltAt(3, 4, 5), { skipsInARow: 2 }));
    await expect(all(loop)).rejects.toThrow(/step 5: expected a finite grad_norm, got NaN/);
    await rm(folder, { recursive: true, force: true });
    await expect(all(trainLoop(options(spoiltAt(3))))).rejects.toMatchObject({ code: "train.not-finite" });
  });
});

test("the progress line shows what a step tells of loss, accuracy, similarities and temperature", () => {
  const metrics = { loss: 1.23456, accuracy: 0.614, positive_similarity: 0.711, hardest_negative_similarity: 0.42 };
  expect(progressNote({ step: 1, ...metrics, temperature: 0.05, grad_norm: 1 })).toBe(
    "loss 1.235, accuracy 61%, positive 0.71, hardest negative 0.42, tau 0.050",
  );
  expect(progressNote({ step: 1, loss: 6, loss_r: 6, accuracy_r: 0.1 })).toBe("loss 6.000");
});
