import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { float32, int32, Rng, type Tensor } from "../../src/base/index.js";
import type { Engine } from "../../src/engine/index.js";
import { initialise, type ModelConfig } from "../../src/model/index.js";
import { initialState, runStage1, type Stage1Options, type TrainEvent } from "../../src/pretrain/index.js";
import { identifiersByLanguage } from "../../src/pretrain/_identifiers.js";
import { Stage1Batches } from "../../src/pretrain/stage1-batches.js";
import { stage1Steps } from "../../src/pretrain/step.js";
import type { TrainingDocument } from "../../src/pretrain/types.js";
import type { Tokenizer } from "../../src/tokenizer/index.js";
import { LEARNING_RATE, UPDATE } from "../engines/sides.js";

/** What all of our contenders train on. */
export interface Stage1Job {
  readonly model: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly documents: readonly TrainingDocument[];
  readonly rows: number;
  readonly length: number;
  readonly threads: number;
}

/** Updates before the counted ones: batches that were prepared while others were measured are used up by then. */
const UNCOUNTED = 6;

/** A whole run of stage 1, as the command line starts it, measured from update to update. */
export class TrainingRun {
  readonly losses: number[] = [];
  readonly busy: number[] = [];

  private constructor(
    private readonly events: AsyncGenerator<TrainEvent>,
    private readonly out: string,
    private readonly stop: AbortController,
  ) {}

  static async open(engine: Engine, job: Stage1Job): Promise<TrainingRun> {
    const out = await mkdtemp(join(tmpdir(), "lodestone-bench-stage1-"));
    const stop = new AbortController();
    const options: Stage1Options = {
      config: {
        ...{ steps: 1_000_000, batch: job.rows, length: job.length, objective: "P" },
        optimizer: { learningRate: LEARNING_RATE },
        checkpoints: { everySteps: null, everySeconds: null },
      },
      ...{ model: job.model, tokenizer: job.tokenizer, out, engine, engineSettings: { threads: job.threads } },
      corpus: {
        hash: "bench",
        documents: async function* () {
          yield* job.documents;
        },
      },
      signal: stop.signal,
    };
    return new TrainingRun(runStage1(options), out, stop);
  }

  /** Seconds an update, data preparation included, as a mean over `count`. */
  async updates(count: number, uncounted = UNCOUNTED): Promise<number> {
    for (let i = 0; i < uncounted; i++) await this.next();
    const started = performance.now();
    for (let i = 0; i < count; i++) {
      const metrics = await this.next();
      this.losses.push(metrics["loss"]!);
      this.busy.push(metrics["engine_busy"]!);
    }
    return (performance.now() - started) / 1000 / count;
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.events.return(undefined);
    await rm(this.out, { recursive: true, force: true });
  }

  private async next(): Promise<Readonly<Record<string, number>>> {
    for (;;) {
      const { value, done } = await this.events.next();
      if (done === true) throw new Error("the run ended");
      if (value.kind === "step") return value.metrics;
    }
  }
}

/** The same batches, prepared beforehand: the engine alone. */
export class EngineOnly {
  #at = 0;

  private constructor(
    private readonly run: (batch: Readonly<Record<string, Tensor>>) => Promise<unknown>,
    readonly batches: readonly Readonly<Record<string, Tensor>>[],
    readonly state: Readonly<Record<string, Tensor>>,
    readonly close: () => Promise<void>,
  ) {}

  static async open(engine: Engine, job: Stage1Job, count: number): Promise<EngineOnly> {
    const { model, tokenizer, documents, rows, length, threads } = job;
    const rng = Rng.fromSeed(0).split("stage1");
    const source = new Stage1Batches({
      ...{ documents, tokenizer, identifiers: identifiersByLanguage, objective: "P", share: 1, rows, length, rng },
      ...{ masking: { rate: 0.15, replacement: "full" }, steps: 1_000_000 },
    });
    const batches: Record<string, Tensor>[] = [];
    let position = source.start;
    for (let step = 0; step < count; step++) {
      const batch = await source.prepare(position, step);
      position = batch.next;
      const dropout = rng.split("dropout", step).keyInt32;
      batches.push({ ...batch.tensors, dropout_key: int32([2], dropout), learning_rate: float32([], [LEARNING_RATE]) });
    }
    await source.close();
    const { programs, run } = stage1Steps(model, UPDATE, null);
    const state = initialState(model, initialise(model, rng), UPDATE, "stage1");
    const session = await engine.open(programs, state, { threads });
    return new EngineOnly(
      (batch) => run(session, batch),
      batches,
      state,
      () => session.close(),
    );
  }

  /** Seconds an update, as a mean over `count`. */
  async updates(count: number, uncounted: number): Promise<number> {
    for (let i = 0; i < uncounted; i++) await this.next();
    const started = performance.now();
    for (let i = 0; i < count; i++) await this.next();
    return (performance.now() - started) / 1000 / count;
  }

  private next(): Promise<unknown> {
    return this.run(this.batches[this.#at++ % this.batches.length]!);
  }
}
