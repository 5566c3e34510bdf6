import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withoutClock } from "../../test/helpers/pretrain.js";
import { startSmallRun, type SmallRun } from "../../test/helpers/pretrain-runs.js";
import { checkpointsFolder, latestCheckpoint } from "./checkpoint.js";
import { readMetrics } from "./metrics-file.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "lodestone-exact-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Runs to the end, or until `stop` steps are done; returns the state's bytes, and the metrics but for the time. */
async function train(run: SmallRun, stop?: number): Promise<{ state: Buffer; metrics: Record<string, number>[] }> {
  const controller = new AbortController();
  for await (const event of startSmallRun(run, controller.signal)) {
    if (event.kind === "step" && event.step === stop) controller.abort();
  }
  const { checkpoint } = await latestCheckpoint(run.out);
  expect(checkpoint!.path).toBe(join(checkpointsFolder(run.out), `step-${String(stop ?? run.steps).padStart(8, "0")}`));
  const metrics = (await readMetrics(run.out)).map(withoutClock);
  return { state: await readFile(join(checkpoint!.path, "state.safetensors")), metrics };
}

describe.each(["stage1", "stage2"] as const)("%s: dropout 0.1, two threads, prefetch, onnxruntime", (stage) => {
  const run = (name: string, changes: Partial<SmallRun> = {}): SmallRun => ({
    stage,
    out: join(root, `${stage}-${name}`),
    engine: "onnxruntime",
    steps: 20,
    everySteps: null,
    width: 128, // Wide enough that the engine's kernels do split their work.
    ...changes,
  });

  test("20 steps equal 10, save, load, 10, bit for bit", async () => {
    const whole = await train(run("whole"));
    const halves = run("halves");
    const half = await train(halves, 10);
    const again = await train(halves);
    expect(again.state.equals(whole.state)).toBe(true);
    expect(again.metrics).toEqual(whole.metrics);
    // The comparison sees something: half-way the state is another one, and training works.
    expect(half.state.equals(whole.state)).toBe(false);
    expect(whole.metrics.map(({ step }) => step)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    const mean = (lines: typeof whole.metrics): number =>
      lines.reduce((sum, line) => sum + line["loss"]!, 0) / lines.length;
    expect(mean(whole.metrics.slice(-5))).toBeLessThan(mean(whole.metrics.slice(0, 5)));
  });

  test("dropout is on: without it the run is another one from the first loss", async () => {
    const without = await train(run("without", { dropout: 0, steps: 3 }));
    const withIt = await train(run("with", { steps: 3 }));
    expect(without.metrics[0]!["loss"]).not.toBe(withIt.metrics[0]!["loss"]);
    expect(without.metrics[0]!["tokens"]).toBe(withIt.metrics[0]!["tokens"]);
  });
});
