import { float32, int32, Rng, type Tensor } from "../../src/base/index.js";
import { createEngine, type EngineSession } from "../../src/engine/index.js";
import { initialise, sizeWith, type ModelConfig } from "../../src/model/index.js";
import { initialState, stage1Step, type UpdateOptions } from "../../src/pretrain/index.js";

/** What all sides of the comparison are given. */
export interface TrainStepJob {
  readonly rows: number;
  readonly tokens: number;
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  readonly seed: number;
  readonly dropout: number;
  readonly learningRate: number;
  readonly threads: number;
  readonly batch: Readonly<Record<"input_ids" | "positions" | "segments" | "masked_index" | "masked_label", number[]>>;
}

const ROWS = 16;
const TOKENS = 256;
/** Share of masked tokens when every identifier of a file is obfuscated: the larger of both objectives. */
const MASKED_SHARE = 0.31;
const LEARNING_RATE = 3e-4;
/** AdamW and clipping as the peers' scripts have them. */
const UPDATE: UpdateOptions = { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.1, clip: 1 };

/** Model `tiny` on 16 packed rows of 256 tokens: Zipf-like ids, documents of about 100 tokens, 31% masked. */
export function trainStepJob(dropout: number, threads: number): TrainStepJob {
  const config = sizeWith("tiny", { dropout });
  const rng = Rng.fromSeed(1).split("train-step");
  const ids = Array.from({ length: ROWS * TOKENS }, () => 3 + Math.floor((config.vocabSize - 3) * rng.uniform() ** 3));
  const positions: number[] = [];
  const segments: number[] = [];
  for (let row = 0; row < ROWS; row++) {
    let [position, segment] = [0, 1];
    for (let token = 0; token < TOKENS; token++) {
      if (position > 0 && rng.uniform() < 0.01) [position, segment] = [0, segment + 1];
      positions.push(position++);
      segments.push(segment);
    }
  }
  const masked = ids.flatMap((_, index) => (rng.uniform() < MASKED_SHARE ? [index] : []));
  const labels = masked.map((index) => ids[index]!);
  for (const index of masked) ids[index] = config.maskId;
  const batch = { input_ids: ids, positions, segments, masked_index: masked, masked_label: labels };
  const { vocabSize, maxLength, width, heads, layers } = config;
  return {
    ...{ rows: ROWS, tokens: TOKENS, vocabSize, maxLength, width, heads, layers },
    ...{ seed: 1, dropout, learningRate: LEARNING_RATE, threads, batch },
  };
}

/** Our side: the very program that stage 1 trains with, on the default engine. */
export class OurSide {
  #step = 0;

  private constructor(
    private readonly session: EngineSession,
    private readonly batch: Readonly<Record<string, Tensor>>,
  ) {}

  static async open(job: TrainStepJob): Promise<OurSide> {
    const config: ModelConfig = sizeWith("tiny", { dropout: job.dropout });
    const masked = job.batch.masked_index.length;
    const step = stage1Step(config, UPDATE, { batch: job.rows, length: job.tokens, masked });
    const state = initialState(config, initialise(config, Rng.fromSeed(job.seed)), UPDATE, "stage1");
    const session = await createEngine("onnxruntime").open({ step }, state, { threads: job.threads });
    const dims = [job.rows, job.tokens];
    return new OurSide(session, {
      input_ids: int32(dims, job.batch.input_ids),
      positions: int32(dims, job.batch.positions),
      segments: int32(dims, job.batch.segments),
      masked_index: int32([masked], job.batch.masked_index),
      masked_label: int32([masked], job.batch.masked_label),
      masked_weight: float32([masked], new Array<number>(masked).fill(1 / masked)),
      objective: int32([masked], new Array<number>(masked).fill(1)),
      row_ids: int32(
        [job.rows],
        Array.from({ length: job.rows }, (_, row) => row),
      ),
      learning_rate: float32([], [job.learningRate]),
    });
  }

  /** Seconds and losses of some steps, seen from the caller's thread: messages to the engine's thread included. */
  async steps(count: number): Promise<{ readonly seconds: number[]; readonly losses: number[] }> {
    const [seconds, losses]: [number[], number[]] = [[], []];
    for (let n = 0; n < count; n++) {
      const key = Rng.fromSeed(1).split("dropout", this.#step++).keyInt32;
      const start = performance.now();
      const { loss } = await this.session.run("step", { ...this.batch, dropout_key: int32([2], key) });
      seconds.push((performance.now() - start) / 1000);
      losses.push(Number(loss!.data[0]));
    }
    return { seconds, losses };
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
