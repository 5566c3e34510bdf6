import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runChild, type ChildOptions, type ChildResult } from "../../test/helpers/child.js";
import { withoutClock } from "../../test/helpers/pretrain.js";
import type { ChildEnd } from "../../test/helpers/pretrain-child.js";
import type { SmallRun } from "../../test/helpers/pretrain-runs.js";
import { Rng } from "../base/index.js";
import { latestCheckpoint, type Checkpoint } from "./checkpoint.js";
import { readMetrics } from "./metrics-file.js";
import type { TrainEvent } from "./types.js";

/** Real processes, really killed, on disks that are really full or read-only. */

type Line = TrainEvent | ChildEnd;
const rng = Rng.fromSeed(Number(process.env["LODESTONE_TEST_SEED"] ?? 20_260_101));

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "lodestone-faults-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const plan = (out: string, changes: Partial<SmallRun> = {}): SmallRun => ({
  stage: "stage1",
  engine: "toy",
  steps: 12,
  everySteps: 4,
  threads: 1,
  out: join(root, out),
  ...changes,
});

async function run(of: SmallRun, options: ChildOptions<Line> = {}): Promise<ChildResult<Line>> {
  const result = await runChild<Line>("pretrain-child.ts", [JSON.stringify(of)], options);
  if (result.signal === null) expect(result.errors).toBe("");
  return result;
}

function endOf({ lines }: ChildResult<Line>): ChildEnd {
  const last = lines.at(-1)!;
  if (last.kind !== "end") throw new Error(`the child did not come to its end: ${JSON.stringify(last)}`);
  return last;
}

async function finished({ out, steps }: SmallRun): Promise<{ state: Checkpoint["state"]; metrics: object[] }> {
  const { checkpoint } = await latestCheckpoint(out);
  expect(checkpoint!.meta.step).toBe(steps);
  const metrics = (await readMetrics(out)).map(withoutClock);
  return { state: checkpoint!.state, metrics };
}

describe.each([
  { engine: "toy", stage: "stage1", kills: 6 },
  { engine: "toy", stage: "stage2", kills: 2 },
  { engine: "onnxruntime", stage: "stage1", kills: 3 },
  { engine: "onnxruntime", stage: "stage2", kills: 2 },
] as const)("killed before a write drawn from the run's own log ($engine, $stage)", ({ engine, stage, kills }) => {
  const name = `${engine}-${stage}`;
  let expected: Awaited<ReturnType<typeof finished>>;
  let writes: string[];

  beforeAll(async () => {
    const whole = plan(`${name}-whole`, { engine, stage });
    const log = join(root, `${name}.log`);
    await run(whole, { env: { LODESTONE_WRITE_LOG: log } });
    expected = await finished(whole);
    writes = (await readFile(log, "utf8")).trim().split("\n");
    // 12 metrics lines and three checkpoints of at least four operations each.
    expect(writes.length).toBeGreaterThan(24);
  });

  test.each(Array.from({ length: kills }, (_, index) => index))("kill %i", async (index) => {
    const killAt = 1 + rng.split(name, index).int(writes.length);
    const of = plan(`${name}-${index}`, { engine, stage });
    const killed = await run(of, {
      preload: ["kill-at-write.mjs"],
      env: { LODESTONE_WRITE_LOG: join(root, `${name}-${index}.log`), LODESTONE_TEST_KILL_AT: String(killAt) },
    });
    const where = `killed at write ${killAt}: ${writes[killAt - 1]!}`;
    expect(killed.signal, where).toBe("SIGKILL");
    const end = endOf(await run(of));
    expect(end, where).toMatchObject({ latest: 12, checkpoints: [8, 12] });
    expect(end.error, where).toBeUndefined();
    expect(await finished(of), where).toEqual(expected);
  });
});

test("killed again and again, at moments of its own computing, it still ends the same", async () => {
  const whole = plan("again-whole", { engine: "onnxruntime", steps: 20, everySteps: 2, threads: 2 });
  await run(whole);
  const of = { ...whole, out: join(root, "again") };
  const draw = rng.split("again");
  let done = 0;
  for (let attempt = 0; attempt < 4; attempt++) {
    const target = Math.min(19, done + 3 + draw.int(4));
    await run(of, {
      onLine: (line, kill) => {
        if (line.kind !== "step" || line.step !== target) return;
        done = target;
        kill("SIGKILL");
      },
    });
  }
  await run(of);
  expect(await finished(of)).toEqual(await finished(whole));
});

test("Ctrl-C finishes the step in hand, writes a checkpoint, and the run goes on from it", async () => {
  const whole = plan("ctrl-whole", { engine: "onnxruntime", steps: 120, everySteps: null });
  await run(whole);
  const of = { ...whole, out: join(root, "ctrl") };
  let sent = 0;
  const stopped = await run(of, {
    onLine: (line, kill) => {
      if (line.kind !== "step" || sent > 0) return;
      sent = line.step;
      kill("SIGINT");
    },
  });
  const end = endOf(stopped);
  expect(stopped.code).toBe(0);
  expect(stopped.lines.at(-2)).toMatchObject({ kind: "stopped", step: end.latest });
  expect(end.latest).toBeGreaterThanOrEqual(sent);
  const again = await run(of);
  expect(again.lines.find(({ kind }) => kind === "start")).toMatchObject({ step: end.latest });
  expect(await finished(of)).toEqual(await finished(whole));
});

test("a second process in the folder is refused while the first one goes on", async () => {
  const of = plan("twice", { engine: "onnxruntime", steps: 100_000, everySteps: null });
  let second: Promise<ChildResult<Line>> | undefined;
  const first = await run(of, {
    onLine: (line, kill) => {
      if (line.kind !== "step" || second !== undefined) return;
      second = run(of).finally(() => kill("SIGINT"));
    },
  });
  expect(endOf(await second!)).toMatchObject({ error: "output.locked", checkpoints: [] });
  expect(first.lines.at(-2)).toMatchObject({ kind: "stopped" });
  expect(endOf(first).latest).toBeGreaterThan(0);
});

describe("a full disk during a checkpoint", () => {
  test("file size limit: a clear error, the checkpoint before stays, and with room the run goes on", async () => {
    const whole = plan("limit-whole");
    const log = join(root, "limit.log");
    await run(whole, { env: { LODESTONE_WRITE_LOG: log } });
    const writes = (await readFile(log, "utf8")).split("\n");
    const first = writes.findIndex((line) => line.startsWith("rename") && line.endsWith("step-00000004"));
    const of = { ...whole, out: join(root, "limit") };
    await run(of, {
      preload: ["kill-at-write.mjs"],
      env: { LODESTONE_WRITE_LOG: `${log}.killed`, LODESTONE_TEST_KILL_AT: String(first + 3) },
    });
    // State is about 700 kB: 100 blocks of 512 or 1024 bytes (the shell's choice) hold the metrics, not a checkpoint.
    const full = endOf(await run(of, { shell: 'ulimit -f 100; exec "$@"' }));
    expect(full).toMatchObject({ error: "output.full", checkpoints: [4], latest: 4 });
    expect(full.message).toMatch(/expected room to write, got EFBIG/);
    await run(of);
    expect(await finished(of)).toEqual(await finished(whole));
  });

  const canMount = spawnSync("unshare", ["--user", "--map-root-user", "--mount", "true"]).status === 0;
  const mounting = canMount || process.env["CI"] === "true" ? test : test.skip;

  mounting(`a small tmpfs${canMount ? "" : " (skipped: needs unshare and user namespaces)"}`, async () => {
    const mount = join(root, "tmpfs");
    await mkdir(mount);
    // Room for one checkpoint of about 700 kB, not for two.
    const shell = `mount -t tmpfs -o size=1100k none ${mount} && exec "$@"`;
    const end = endOf(await run(plan("", { out: join(mount, "run") }), { shell, namespace: true }));
    expect(end).toMatchObject({ error: "output.full", latest: 4, checkpoints: [4] });
    expect(end.message).toMatch(/expected room to write, got ENOSPC/);
  });

  mounting(`a read-only mount${canMount ? "" : " (skipped: needs unshare and user namespaces)"}`, async () => {
    const of = plan("readonly");
    await run(of, { onLine: (line, kill) => void (line.kind === "step" && line.step === 5 && kill("SIGKILL")) });
    const shell = `mount --bind ${of.out} ${of.out} && mount -o remount,ro,bind ${of.out} && exec "$@"`;
    const end = endOf(await run(of, { shell, namespace: true }));
    expect(end).toMatchObject({ error: "output.unwritable" });
    expect(end.message).toMatch(/expected a writable place, got EROFS/);
  });
});

test("a place where nobody may write", async () => {
  const end = endOf(await run(plan("", { out: "/sys/lodestone" })));
  expect(end).toMatchObject({ error: "output.unwritable", checkpoints: [] });
});
