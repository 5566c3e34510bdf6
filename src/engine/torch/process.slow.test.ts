import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { float32, int32, UserError } from "../../base/index.js";
import { add, dropout, exp, expand, Graph, matmul, reduceSum, toOnnx } from "../../graph/index.js";
import { python, testWithPython } from "../../../test/helpers/requires.js";
import { createEngine } from "../index.js";
import { findTorchPython, pythonEnvironment } from "./_python.js";
import type { TorchSession } from "./torch.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-torch-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Takes seconds for large n. */
function powers(): Graph {
  const graph = new Graph("powers");
  let x = graph.input("x", "float32", ["N", "N"]);
  for (let i = 0; i < 20; i++) x = exp(matmul(x, x));
  graph.output("y", x);
  return graph;
}

const square = (n: number) => float32([n, n], new Float32Array(n * n));

const ONE = float32([], [1]);
/** Dropout over two rows. */
const keyed = (graph: Graph) => ({
  ...{ rate: 0.5, place: 0 },
  key: graph.constant(int32([2], [1, 2])),
  rows: graph.constant(int32([2], [0, 1])),
});

async function failure(promise: Promise<unknown>): Promise<UserError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits until a process is gone. */
async function gone(pid: number): Promise<boolean> {
  for (let i = 0; i < 200 && alive(pid); i++) await setTimeout(50);
  return !alive(pid);
}

/** A stand-in for a Python: an executable that prints. */
async function fakePython(script: string): Promise<string> {
  const path = join(folder, "python");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

describe("no Python that will do", () => {
  const open = (python: string) => createEngine("torch", { python }).open({ p: powers() }, {});

  test("none at the path, or none installed: one line with the fix", async () => {
    const error = await failure(open(join(folder, "nowhere")));
    expect(error.code).toBe("engine.python");
    expect(error.message).toContain('nowhere"');
    expect(error.fix).toContain("engine torch --install");
    expect(() => findTorchPython(undefined, { XDG_CACHE_HOME: folder, LOCALAPPDATA: folder })).toThrow(/got none/);
    expect(() => findTorchPython(undefined, { LODESTONE_PYTHON: "no-such-python" })).toThrow(/LODESTONE_PYTHON/);
  });

  test("something that is no Python: its own last words are told", async () => {
    const error = await failure(open(await fakePython("echo 'no python here' >&2; exit 3")));
    expect(error.code).toBe("engine.died");
    expect(error.message).toMatch(/exit code 3: no python here/);
  });

  test("something that babbles instead of frames is ended", async () => {
    const error = await failure(open(await fakePython("echo 'Welcome to the module system'; exec sleep 60")));
    expect(error.message).toContain("bytes that are no frame (Welcome");
  });
});

testWithPython("a Python without PyTorch says so", async () => {
  const path = await fakePython(`exec ${python} -I -S -c '
import runpy, sys
sys.path.insert(0, "${fileURLToPath(new URL("../../../engines/torch", import.meta.url))}")
sys.argv = ["serve"]
sys.exit(runpy.run_module("lodestone_torch.serve", run_name="serve_test")["main"]())'`);
  const error = await failure(createEngine("torch", { python: path }).open({ p: powers() }, {}));
  expect(error.code).toBe("engine.torch");
  expect(error.message).toContain("expected PyTorch in");
  expect(error.fix).toContain("--python");
});

/** A real Python whose `torch` is a stand-in that says of itself what the test needs. */
async function pythonWithTorch(source: string, before = ""): Promise<string> {
  const stand = join(folder, "stand-in", "torch");
  await mkdir(stand, { recursive: true });
  await writeFile(join(stand, "__init__.py"), source);
  return fakePython(`exec ${python} -I -S -c '
import runpy, sys
${before}
sys.path[:0] = ["${join(folder, "stand-in")}", "${fileURLToPath(new URL("../../../engines/torch", import.meta.url))}"]
sys.argv = ["serve"]
sys.exit(runpy.run_module("lodestone_torch.serve", run_name="serve_test")["main"]())'`);
}

testWithPython("an old PyTorch, one that does not load, and an old Python: what came and what to do", async () => {
  const open = async (python: string) => failure(createEngine("torch", { python }).open({ p: powers() }, {}));
  const old = await open(await pythonWithTorch('__version__ = "2.4.1+cpu"'));
  expect([old.code, old.message]).toEqual([
    "engine.torch",
    expect.stringContaining("expected PyTorch 2.11 or newer, got 2.4.1+cpu"),
  ]);
  const library = 'raise OSError("libcudart.so.13: cannot open shared object file")';
  expect((await open(await pythonWithTorch(library))).message).toContain("to load, got: libcudart.so.13");
  const aged = await open(await pythonWithTorch('__version__ = "2.13.0"', "sys.version_info = (3, 9, 2)"));
  expect([aged.code, aged.message]).toEqual(["engine.python", expect.stringContaining("3.11 or newer, got 3.9.2")]);
  expect(aged.fix).toContain("engine torch --install");
});

testWithPython("a process killed in the middle of a run: the call and all later ones say so", async () => {
  const session = (await createEngine("torch", { python: python!, device: "cpu" }).open(
    { p: powers() },
    {},
  )) as TorchSession;
  const running = failure(session.run("p", { x: square(3000) }));
  await setTimeout(300);
  process.kill(session.pid!, "SIGKILL");
  const error = await running;
  expect(error.code).toBe("engine.died");
  expect(error.message).toContain("SIGKILL");
  expect(error.fix).toContain("checkpoint");
  expect((await failure(session.run("p", { x: square(2) }))).code).toBe("engine.died");
  await session.close();
});

testWithPython("closing in the middle of a run ends the process", async () => {
  const session = (await createEngine("torch", { python: python!, device: "cpu" }).open(
    { p: powers() },
    {},
  )) as TorchSession;
  const running = failure(session.run("p", { x: square(3000) }));
  await session.close();
  expect((await running).code).toBe("engine.closed");
  expect(alive(session.pid!)).toBe(false);
});

testWithPython("it ends with its parent, also one that is killed in the middle of a run", async () => {
  const script = join(folder, "parent.mts");
  const source = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  await writeFile(
    script,
    `import { createEngine } from ${source("../index.ts")};
     import { Graph, matmul } from ${source("../../graph/index.ts")};
     const graph = new Graph("g");
     let x = graph.input("x", "float32", ["N", "N"]);
     for (let i = 0; i < 20; i++) x = matmul(x, x);
     graph.output("y", x);
     const engine = createEngine("torch", { python: process.argv[2], device: "cpu" });
     const session = await engine.open({ g: graph }, {});
     void session.run("g", { x: { dtype: "float32", dims: [3000, 3000], data: new Float32Array(9000000) } });
     console.log(session.pid);`,
  );
  const parent = spawn(process.execPath, ["--import", "tsx", script, python!], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface({ input: parent.stdout }), "line")) as [string];
  expect(alive(Number(line))).toBe(true);
  await setTimeout(500);
  parent.kill("SIGKILL");
  expect(await gone(Number(line))).toBe(true);
});

testWithPython("an op that the engine lacks, a device that is not there: named", async () => {
  const engine = createEngine("torch", { python: python!, device: "cpu" });
  const graph = new Graph("broken");
  graph.output("y", exp(graph.input("x", "float32", ["N"])));
  const error = await failure(createEngine("torch", { python: python!, device: "cuda:99" }).open({ p: graph }, {}));
  expect(error.code).toBe("engine.provider");
  const session = await engine.open({ p: powers() }, {});
  const wrong = await failure(session.run("p", { x: float32([2, 3], new Float32Array(6)) }));
  expect(wrong.code).toBe("engine.batch");
  await session.close();
});

testWithPython("a tensor that no machine holds: what to do, and the state is as it was", async () => {
  const graph = new Graph("huge");
  const count = graph.state("count", "float32", []);
  graph.update("count", add(count, 1));
  const wide = graph.scope("h.0", () => exp(expand(graph.input("x", "float32", []), [3_000_000, 3_000_000])));
  graph.output("y", reduceSum(wide));
  const session = await createEngine("torch", { python: python!, device: "cpu" }).open({ huge: graph }, { count: ONE });
  const error = await failure(session.run("huge", { x: ONE }));
  expect(error.code).toBe("engine.memory");
  expect(error.message).toMatch(/program "huge".*h\.0\/exp/);
  expect(error.fix).toContain("chunk");
  expect(await session.read()).toEqual({ count: ONE });
  await session.close();
});

testWithPython("a program with an op that the engine lacks names it and where it stands", async () => {
  const graph = new Graph("foreign");
  const mask = graph.scope("h.3", () => dropout(graph.input("x", "float32", [2, 3]), keyed(graph)));
  graph.output("y", mask);
  // Written for the other engine: its masks end in an op that this one never gets.
  const path = join(folder, "foreign.onnx");
  await writeFile(path, toOnnx(graph, { target: "onnxruntime" }));
  const code = "import sys; from lodestone_torch.program import Program; Program.load(open(sys.argv[1], 'rb').read())";
  const outcome = promisify(execFile)(python!, ["-c", code, path], { env: pythonEnvironment() });
  await expect(outcome).rejects.toThrow(/EngineError: program: expected ops .*, got BitwiseAnd \(h\.3\/dropoutMask/);
  await writeFile(path, Buffer.alloc(40, 255));
  const damaged = promisify(execFile)(python!, ["-c", code, path], { env: pythonEnvironment() });
  await expect(damaged).rejects.toThrow(/EngineError: program: expected an ONNX model/);
});
