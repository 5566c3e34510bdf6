import { execFile, spawn } from "node:child_process";
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { packSmallRun, startSmallRun, type SmallRun } from "../../../test/helpers/pretrain-runs.js";
import { python, testWithPython } from "../../../test/helpers/requires.js";
import { latestCheckpoint, listCheckpoints } from "../checkpoint.js";
import { readMetrics } from "../metrics-file.js";
import { unpackRun } from "./unpack.js";

const PLAN: SmallRun = { stage: "stage1", out: "", engine: "toy", steps: 400, everySteps: 5, width: 16 };

async function finish(events: AsyncGenerator<unknown>): Promise<void> {
  while ((await events.next()).done !== true);
}

let root: string;
let packed: string;
let folder: string;
let run: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "lodestone-pack-faults-"));
  packed = join(root, "packed");
  await finish(packSmallRun(PLAN, { out: packed }));
});
afterAll(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(root, "case-"));
  run = join(folder, "run");
  await cp(packed, run, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stderr: string;
}

function train(options: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const args = [run, "--device", "cpu", "--threads", "1", ...options];
    execFile(python!, args, { env: { ...process.env, ...env } }, (error, _, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stderr }),
    );
  });
}

/** The last line is all that a user has to read. */
function lastLine({ stderr }: Ended): string {
  return stderr.trim().split("\n").at(-1)!;
}

describe("a packed run that is damaged says which file", () => {
  for (const name of ["batches.bin", "state.safetensors", "programs/whole-step.onnx", "lodestone_torch/batches.py"]) {
    testWithPython(name, async () => {
      await appendFile(join(run, name), "\n");
      const ended = await train();
      expect(ended.code).toBe(2);
      expect(lastLine(ended)).toMatch(
        /^lodestone_torch: .*expected a file of a packed run, but its content has changed/,
      );
      expect(lastLine(ended)).toContain(name);
    });
  }

  testWithPython("a file that is gone, and a folder that is none", async () => {
    await rm(join(run, "batches.bin"));
    expect(lastLine(await train())).toMatch(/batches\.bin: expected a file of a packed run, but the file is missing/);
    await rm(join(run, "run.json"));
    expect(lastLine(await train())).toMatch(/run\.json: expected a packed run, got No such file/);
  });

  testWithPython("one of a newer version", async () => {
    const path = join(run, "run.json");
    await writeFile(path, (await readFile(path, "utf8")).replace('"format": 1', '"format": 2'));
    expect(lastLine(await train())).toMatch(/expected format 1, got 2 of a newer version/);
    await expect(unpackRun(run, join(folder, "back"))).rejects.toMatchObject({ code: "pack.newer" });
  });
});

describe("Python that will not do", () => {
  const fakeTorch = async (content: string): Promise<NodeJS.ProcessEnv> => {
    await mkdir(join(folder, "fake"));
    await writeFile(join(folder, "fake", "torch.py"), content);
    return { PYTHONPATH: join(folder, "fake") };
  };
  testWithPython("no torch", async () => {
    const ended = await train([], await fakeTorch("raise ImportError(\"No module named 'torch'\")\n"));
    expect(ended.code).toBe(2);
    expect(ended.stderr.trim()).toMatch(
      /^lodestone_torch: torch: expected it to be installed, got: No module named 'torch'/,
    );
  });
  testWithPython("an old torch", async () => {
    const ended = await train([], await fakeTorch('__version__ = "2.4.1+cpu"\n'));
    expect(ended.stderr.trim()).toMatch(/^lodestone_torch: torch: expected 2\.11 or newer, got 2\.4\.1\+cpu\. Install/);
  });
  testWithPython("a device that is not there", async () => {
    const ended = await train(["--device", "cuda:7"]);
    expect(ended.code).toBe(2);
    expect(lastLine(ended)).toMatch(/cuda/);
    expect(ended.stderr).not.toContain("Traceback");
  });
});

describe("a packed run that is stopped", () => {
  /** Sends a signal once three updates are on record. */
  async function interrupt(signal: NodeJS.Signals): Promise<Ended> {
    const child = spawn(python!, [run, "--device", "cpu", "--threads", "1"], { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const ended = new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? -1)));
    while ((await listCheckpoints(run)).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill(signal);
    return { code: await ended, stderr };
  }

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    testWithPython(`by ${signal}: the update in hand is finished and saved`, async () => {
      const ended = await interrupt(signal);
      expect(ended.code).toBe(0);
      expect(lastLine(ended)).toMatch(
        new RegExp(`stopped after update \\d+ \\(${signal}\\); the same command goes on`),
      );
      const { checkpoint } = await latestCheckpoint(run);
      expect((await readMetrics(run)).at(-1)!.step).toBe(checkpoint!.meta.step);
    });
  }

  testWithPython("by kill -9: the last good state stays, and the next call goes on from it", async () => {
    await interrupt("SIGKILL");
    const { checkpoint } = await latestCheckpoint(run);
    const before = checkpoint!.meta.step;
    const ended = await train(["--updates", "3"]);
    expect(ended.code).toBe(0);
    expect(ended.stderr).toContain(`updates ${before + 1} to ${before + 3} of 400`);
    const steps = (await readMetrics(run)).map(({ step }) => step);
    expect(steps).toEqual(Array.from({ length: before + 3 }, (_, i) => i + 1));
    expect((await readdir(run)).filter((name) => name === ".lock")).toEqual([]);
  });

  testWithPython("by its time limit", async () => {
    const ended = await train(["--minutes", "0.02"]);
    expect(lastLine(ended)).toContain("the time is up");
    expect((await latestCheckpoint(run)).checkpoint!.meta.step).toBeLessThan(400);
  });

  testWithPython("twice at a time: the second is refused", async () => {
    const child = spawn(python!, [run, "--device", "cpu", "--threads", "1"], { stdio: "ignore" });
    while ((await listCheckpoints(run)).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const ended = await train();
    child.kill("SIGKILL");
    expect(lastLine(ended)).toMatch(/expected a folder of its own, but process \d+ is writing there/);
  });
});

describe("bringing it back", () => {
  testWithPython("a damaged checkpoint is passed over, one of a newer version is not", async () => {
    await train(["--updates", "12"]);
    const [older, newest] = (await listCheckpoints(run)).map(({ path }) => path);
    await appendFile(join(newest!, "state.safetensors"), "x");
    const back = await unpackRun(run, join(folder, "back"));
    expect(back).toMatchObject({ step: 10, warnings: [expect.stringContaining(newest!)] });
    expect((await readMetrics(join(folder, "back"))).at(-1)!.step).toBe(10);
    expect(await unpackRun(run, join(folder, "back"))).toMatchObject({ step: 10, before: 10 });

    const path = join(older!, "checkpoint.json");
    await writeFile(path, (await readFile(path, "utf8")).replace('"format": 1', '"format": 2'));
    await expect(unpackRun(run, join(folder, "again"))).rejects.toMatchObject({ code: "checkpoint.newer" });
    const ended = await train(["--updates", "1"]);
    expect(lastLine(ended)).toMatch(/expected checkpoint format 1, got 2 of a newer version/);
  });

  test("a run that was not trained, and a folder of another run", async () => {
    await expect(unpackRun(run, join(folder, "back"))).rejects.toMatchObject({ code: "unpack.nothing" });
    await expect(unpackRun(folder, join(folder, "back"))).rejects.toMatchObject({ code: "pack.missing" });
  });

  testWithPython("not over a run that is further on, nor over another one", async () => {
    await train(["--updates", "2"]);
    const [ahead, other] = [join(folder, "ahead"), join(folder, "other")];
    for await (const event of startSmallRun({ ...PLAN, out: ahead }))
      if (event.kind === "step" && event.step === 7) break;
    await expect(unpackRun(run, ahead)).rejects.toMatchObject({ code: "unpack.behind" });
    for await (const event of startSmallRun({ ...PLAN, out: other, steps: 9 })) if (event.kind === "done") break;
    await expect(unpackRun(run, other)).rejects.toMatchObject({ code: "checkpoint.mismatch" });
  });
});

describe("packing", () => {
  test("never over something that is there", async () => {
    await expect(finish(packSmallRun(PLAN, { out: run }))).rejects.toMatchObject({ code: "output.exists" });
  });

  test("names every file with its checksum, and leaves nothing half made", async () => {
    const listed = (await readFile(join(run, "checksums.txt"), "utf8")).trim().split("\n");
    const files = (await readdir(run, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    expect(listed).toHaveLength(files.length - 1); // All but itself.
    expect(await readdir(root)).not.toContain("packed.partial");
  });
});
