import { float32, int32, Rng, type Tensor } from "../../src/base/index.js";
import { createEngine, type Engine, type EngineSession } from "../../src/engine/index.js";
import { expand, Graph, type Shape } from "../../src/graph/index.js";
import { initialise, type ModelConfig } from "../../src/model/index.js";
import { initialState, type Stage, type UpdateOptions } from "../../src/pretrain/index.js";
import type { Step } from "../../src/pretrain/step.js";

type Tensors = Readonly<Record<string, Tensor>>;

/** AdamW and clipping as the peers' scripts have them. */
export const UPDATE: UpdateOptions = { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.1, clip: 1 };
export const LEARNING_RATE = 3e-4;

/** What one of our engines trains with. */
export interface Job {
  readonly config: ModelConfig;
  readonly stage: Stage;
  readonly step: Step;
  /** Without dropout's key. */
  readonly batch: Tensors;
  readonly threads: number;
}

/** A step of ours on one engine, timed from the caller's side: feeding and protocol included. */
export class Side {
  #step = 0;

  private constructor(
    private readonly session: EngineSession,
    private readonly job: Job,
  ) {}

  static async open(engine: Engine, job: Job): Promise<Side> {
    const { config, stage, step, threads } = job;
    const state = { ...initialState(config, initialise(config, Rng.fromSeed(1)), UPDATE, stage), ...step.scratch };
    return new Side(await engine.open(step.programs, state, { threads }), job);
  }

  /** Seconds and loss of one step. */
  async measure(): Promise<{ readonly seconds: number; readonly loss: number }> {
    const key = Rng.fromSeed(1).split("dropout", this.#step++).keyInt32;
    const batch = { ...this.job.batch, dropout_key: int32([2], key), learning_rate: float32([], [LEARNING_RATE]) };
    const start = performance.now();
    const { loss } = await this.job.step.run(this.session, batch);
    return { seconds: (performance.now() - start) / 1000, loss: Number(loss!.data[0]) };
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

/**
 * Seconds that a step spends on messages alone: the same calls with the same tensors both ways, on programs that take
 * them and compute nothing.
 */
export async function protocolSeconds(engine: Engine, { step, batch, threads }: Job, repetitions: number) {
  const programs = Object.fromEntries(Object.entries(step.programs).map(([name, graph]) => [name, hollow(graph)]));
  const session = await engine.open(programs, {}, { threads });
  try {
    const fed = { ...batch, dropout_key: int32([2], [1, 2]), learning_rate: float32([], [LEARNING_RATE]) };
    const seconds: number[] = [];
    for (let n = 0; n < repetitions + 2; n++) {
      const start = performance.now();
      await step.run(session, fed);
      if (n >= 2) seconds.push((performance.now() - start) / 1000);
    }
    return seconds;
  } finally {
    await session.close();
  }
}

/** A program with the same inputs and outputs that only fills the outputs with a number. */
function hollow(graph: Graph): Graph {
  const empty = new Graph(`${graph.name}-hollow`);
  for (const [name, { dtype, shape }] of graph.inputs) empty.input(name, dtype, shape);
  for (const [name, { shape }] of graph.outputs) empty.output(name, filled(empty, shape));
  return empty;
}

function filled(graph: Graph, shape: Shape) {
  // Not a constant: an output has to be computed.
  const one = graph.constant(1);
  return shape.length === 0 ? graph.constant(2) : expand(one, shape);
}

/** The three ways that our programs run in. */
export function ourEngines(python: string): Readonly<Record<string, Engine>> {
  return {
    "onnxruntime-fp32": createEngine("onnxruntime"),
    "torch-fp32": createEngine("torch", { python, device: "cpu", precision: "fp32" }),
    "torch-bf16": createEngine("torch", { python, device: "cpu", precision: "bf16" }),
  };
}
