import { mkdir, readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { float32, messageOf, sha256, writeFileAtomic, type Tensor } from "../base/index.js";
import { gelu, gradients, Graph, layerNorm, matmul, mul, reduceSum, sub } from "../graph/index.js";
import { createEngine, type EngineName } from "./create-engine.js";
import type { Engine } from "./engine.js";
import { torchEngineFolder } from "./torch/_python.js";
import { describeTorch, type TorchDescription } from "./torch/describe.js";
import type { Precision } from "./torch/torch.js";

/** What `--engine auto` came to. */
export interface EngineChoice {
  readonly engine: Extract<EngineName, "onnxruntime" | "torch">;
  /** One sentence: `torch: 1.8 times as fast as onnxruntime in a short trial (CPU, fp32)`. */
  readonly why: string;
}

/** @see chooseEngine */
export interface ChooseOptions {
  /** A Python for the torch engine; by default the one that it would take. */
  readonly python?: string;
  /** Of the torch engine; default `fp32`. */
  readonly precision?: Precision;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  /** Where the result of the trial is kept; by default the user's cache. */
  readonly cache?: string;
}

/**
 * The fastest engine that can be used here. Rules, in order: without a usable PyTorch, onnxruntime; a PyTorch with a GPU,
 * torch; else a short trial of both on the CPU, some steps of a small network, whose result is kept for this
 * processor, these versions, threads and precision.
 */
export async function chooseEngine(options: ChooseOptions = {}): Promise<EngineChoice> {
  const { python, precision = "fp32", threads, signal } = options;
  let torch: TorchDescription;
  try {
    torch = await describeTorch(python, signal);
  } catch (error) {
    signal?.throwIfAborted();
    return { engine: "onnxruntime", why: `onnxruntime: the torch engine cannot be used (${messageOf(error)})` };
  }
  if (torch.gpus.length > 0) return { engine: "torch", why: `torch: it has a GPU (${torch.gpus[0]!})` };
  const cache = options.cache ?? join(dirname(torchEngineFolder()), "engine-choice.json");
  const key = sha256(JSON.stringify([cpus()[0]?.model, torch.executable, torch.torch, threads, precision, 1]));
  const known = await readChoices(cache);
  const speedup = known[key] ?? (await trial(options, torch.executable));
  if (known[key] === undefined) {
    await mkdir(dirname(cache), { recursive: true })
      .then(() => writeFileAtomic(cache, `${JSON.stringify({ ...known, [key]: speedup })}\n`))
      .catch(() => undefined); // Not being able to remember is no reason not to train.
  }
  const engine = speedup > 1 ? "torch" : "onnxruntime";
  const other = speedup > 1 ? "onnxruntime" : "torch";
  const times = Math.max(speedup, 1 / speedup).toFixed(1);
  return { engine, why: `${engine}: ${times} times as fast as ${other} in a short trial (CPU, torch in ${precision})` };
}

async function readChoices(path: string): Promise<Record<string, number>> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Record<string, number>;
  } catch {
    return {};
  }
}

const ROWS = 1024;
const WIDTH = 256;
const TRIALS = 6;

/** How many times as fast torch is: the least time of some steps each, in turns. */
async function trial({ precision = "fp32", threads }: ChooseOptions, python: string): Promise<number> {
  const settings = threads === undefined ? {} : { threads };
  const engines: Engine[] = [createEngine("onnxruntime"), createEngine("torch", { python, precision, device: "cpu" })];
  const { graph, state, batch } = smallStep();
  const sessions = await Promise.all(engines.map((engine) => engine.open({ step: graph }, state, settings)));
  try {
    const least = sessions.map(() => Infinity);
    for (let n = 0; n < TRIALS; n++) {
      for (const [index, session] of sessions.entries()) {
        const start = performance.now();
        await session.run("step", batch);
        if (n > 0) least[index] = Math.min(least[index]!, performance.now() - start);
      }
    }
    return least[0]! / least[1]!;
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

/** Two residual blocks as an encoder has them, their gradients and a plain update. */
function smallStep(): { graph: Graph; state: Record<string, Tensor>; batch: Record<string, Tensor> } {
  const graph = new Graph("trial");
  const state: Record<string, Tensor> = {};
  const weight = (name: string, dims: readonly number[]) => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    state[name] = float32(
      dims,
      Array.from({ length: size }, (_, i) => 0.05 * Math.sin(i)),
    );
    return graph.state(name, "float32", dims);
  };
  let x = graph.input("x", "float32", [ROWS, WIDTH]);
  const weights = [];
  for (const layer of [0, 1]) {
    const [scale, shift] = [weight(`${layer}.scale`, [WIDTH]), weight(`${layer}.shift`, [WIDTH])];
    const [wide, narrow] = [weight(`${layer}.wide`, [WIDTH, 4 * WIDTH]), weight(`${layer}.narrow`, [4 * WIDTH, WIDTH])];
    weights.push({ name: `${layer}.wide`, value: wide }, { name: `${layer}.narrow`, value: narrow });
    x = matmul(gelu(matmul(layerNorm(x, scale, shift, 1e-5), wide)), narrow);
  }
  const loss = reduceSum(mul(x, x));
  const found = gradients(
    loss,
    weights.map(({ value }) => value),
  );
  weights.forEach(({ name, value }, index) => graph.update(name, sub(value, mul(found[index]!, 1e-9))));
  graph.output("loss", loss);
  const values = Array.from({ length: ROWS * WIDTH }, (_, i) => Math.cos(i));
  return { graph, state, batch: { x: float32([ROWS, WIDTH], values) } };
}
