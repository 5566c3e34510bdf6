import { float32, int32, ProgressMeter, UserError, type ProgressEvent, type Rng } from "../base/index.js";
import { LossWatch } from "./_loss-watch.js";
import { pruneCheckpoints, writeCheckpoint } from "./checkpoint.js";
import { writeSamples, type Evaluator } from "./evaluation/index.js";
import { MetricsFile } from "./metrics-file.js";
import type { Schedule } from "./optimizer/schedule.js";
import type { RunIdentity } from "./resume.js";
import type { Step } from "./step.js";
import type { BatchSource, Position, PreparedBatch, TrainEvent, TrainSession } from "./types.js";

/** When to write checkpoints and which to keep. */
export interface CheckpointPolicy {
  readonly everySteps: number | null;
  readonly everySeconds: number | null;
  readonly keep: number;
  readonly best: boolean;
}

/** @see trainLoop */
export interface LoopOptions<P extends Position> {
  /** The run folder; the caller holds its lock. */
  readonly out: string;
  readonly identity: RunIdentity;
  /** Updates of the whole run. */
  readonly steps: number;
  /** Where to begin: updates done, position of the next batch, path of the checkpoint that holds this state. */
  readonly from: { readonly step: number; readonly position: P; readonly path?: string };
  readonly source: BatchSource<P>;
  readonly session: TrainSession;
  /** Computes an update from the source's tensors, `dropout_key` and `learning_rate`. */
  readonly runStep: Step["run"];
  /** Names of the state that makes a checkpoint; undefined for all. */
  readonly stateNames?: readonly string[];
  readonly rng: Rng;
  readonly learningRate: Schedule;
  readonly checkpoints: CheckpointPolicy;
  /** Turns a step's outputs (scalars) and the batch's numbers into metrics. */
  readonly summarise: (
    outputs: Readonly<Record<string, number>>,
    stats: Readonly<Record<string, number>>,
  ) => Record<string, number>;
  /** Looks at the state every so many updates, and after the last. */
  readonly evaluation?: { readonly everySteps: number; readonly evaluator: Evaluator };
  /** How many updates in a row may be left out for a gradient that is not finite; the programs leave the state then. */
  readonly skipsInARow?: number;
  readonly signal?: AbortSignal;
}

/**
 * Trains from `from.step` to `steps`. While the engine computes a step the next batches are prepared. An aborted signal
 * lets the step in hand finish, writes a checkpoint and ends with `stopped`; else the run ends with a checkpoint and
 * `done`. Dropout's key and the learning rate are functions of the step alone, so that a resumed run repeats exactly
 * what an uninterrupted one does.
 *
 * @throws UserError `train.not-finite` (loss or gradient; nothing is written after the last good checkpoint),
 * `output.full`, `output.unwritable`
 */
export async function* trainLoop<P extends Position>(options: LoopOptions<P>): AsyncGenerator<TrainEvent> {
  const { steps, source, signal, from } = options;
  const progress: ProgressEvent[] = [];
  const stage = options.identity.stage;
  const meter = new ProgressMeter(stage, "steps", steps, (event) => progress.push(event), from.step);
  const metrics = await MetricsFile.open(options.out, from.step);
  const saver = new Saver(options, metrics, from.path === undefined ? undefined : { step: from.step, path: from.path });
  let step = from.step;
  let position = from.position;
  const batches = new BatchQueue(source, position, step, steps);
  const watch = new LossWatch();
  let skipped = 0;
  try {
    let since = performance.now();
    while (step < steps && signal?.aborted !== true) {
      const batch = await batches.take();
      const started = performance.now();
      const running = computeStep(options, batch, step);
      running.catch(() => undefined);
      batches.fill(BATCHES_AHEAD); // After the engine has got its batch.
      const outputs = await running;
      const ended = performance.now();
      const skips = isSkipped(outputs) && skipped < (options.skipsInARow ?? 0);
      if (!skips) requireFinite(outputs, `${stage}: step ${step + 1}`, saver.lastPath);
      skipped = skips ? skipped + 1 : 0;
      step += 1;
      position = batch.next;
      const trained = {
        step,
        ...(skips ? { ...batch.stats, skipped: 1 } : options.summarise(outputs, batch.stats)),
        learning_rate: options.learningRate(step - 1),
        ...speed(batch.stats, (ended - started) / 1000, (ended - since) / 1000),
      };
      since = ended;
      const found = await evaluate(options, step);
      if (found !== undefined) since = performance.now(); // Not the next update's time.
      const loss = outputs["loss"]!;
      if (!skips) saver.note(loss);
      const usual = skips ? undefined : watch.note(loss);
      const line = { ...trained, ...found };
      await metrics.append(line);
      yield { kind: "step", step, metrics: line };
      if (skips) yield skipWarning(step, skipped);
      if (usual !== undefined) yield spikeWarning(step, loss, usual);
      meter.update(step, skips ? "left out" : progressNote(line));
      yield* progress.splice(0);
      if (step < steps && saver.due(step)) yield await saver.save(step, position);
    }
    if (saver.lastStep !== step) yield await saver.save(step, position);
    yield { kind: step < steps ? "stopped" : "done", step, path: saver.lastPath! };
  } finally {
    await metrics.close();
  }
}

/** `loss 1.234, accuracy 61%, positive 0.71, hardest negative 0.42, tau 0.050`: what there is of it. */
export function progressNote(metrics: Readonly<Record<string, number>>): string {
  const shown: readonly (readonly [name: string, show: (value: number) => string])[] = [
    ["loss", (value) => `loss ${value.toFixed(3)}`],
    ["accuracy", (value) => `accuracy ${Math.round(100 * value)}%`],
    ["positive_similarity", (value) => `positive ${value.toFixed(2)}`],
    ["hardest_negative_similarity", (value) => `hardest negative ${value.toFixed(2)}`],
    ["temperature", (value) => `tau ${value.toFixed(3)}`],
  ];
  return shown.flatMap(([name, show]) => (metrics[name] === undefined ? [] : [show(metrics[name])])).join(", ");
}

/** Batches in preparation while the engine runs. */
const BATCHES_AHEAD = 3;

/** The run's batches, prepared ahead. A failure is reported where the batch is taken, or not at all if it never is. */
class BatchQueue<P extends Position> {
  private readonly queue: Promise<PreparedBatch<P>>[] = [];
  private last: Promise<{ readonly next: P }>;

  constructor(
    private readonly source: BatchSource<P>,
    position: P,
    private step: number,
    private readonly steps: number,
  ) {
    this.last = Promise.resolve({ next: position });
    this.fill(1);
  }

  /** The next batch; the caller knows that there is one. */
  take(): Promise<PreparedBatch<P>> {
    if (this.queue.length === 0) this.fill(1);
    return this.queue.shift()!;
  }

  /** Begins to prepare until so many are there or under way. */
  fill(ahead: number): void {
    for (; this.queue.length < ahead && this.step < this.steps; this.step++) {
      const step = this.step;
      const batch = this.last.then(({ next }) => this.source.prepare(next, step));
      batch.catch(() => undefined);
      this.queue.push(batch);
      this.last = batch;
    }
  }
}

/**
 * How fast an update was: `seconds` since the one before, `engine_busy`, the share of them in which the engine computed,
 * `tokens_per_second`, and `memory_gb` of this process (an engine in a process of its own not counted).
 */
function speed(stats: Readonly<Record<string, number>>, computing: number, seconds: number): Record<string, number> {
  const tokens = stats["tokens"];
  return {
    seconds,
    engine_busy: seconds > 0 ? Math.min(1, computing / seconds) : 1,
    ...(tokens === undefined || seconds <= 0 ? {} : { tokens_per_second: tokens / seconds }),
    memory_gb: process.memoryUsage.rss() / 2 ** 30,
  };
}

/** The evaluation's metrics where one is due; its samples go to the run folder. */
async function evaluate<P extends Position>(
  { evaluation, session, steps, out }: LoopOptions<P>,
  step: number,
): Promise<Record<string, number> | undefined> {
  if (evaluation === undefined || (step % evaluation.everySteps !== 0 && step !== steps)) return undefined;
  const started = performance.now();
  const { metrics, samples } = await evaluation.evaluator.evaluate(session, step);
  if (samples.length > 0) await writeSamples(out, samples, step);
  return { ...metrics, evaluation_seconds: (performance.now() - started) / 1000 };
}

async function computeStep<P extends Position>(
  { session, runStep, rng, learningRate }: LoopOptions<P>,
  batch: PreparedBatch<P>,
  step: number,
): Promise<Record<string, number>> {
  const outputs = await runStep(session, {
    ...batch.tensors,
    dropout_key: int32([2], rng.split("dropout", step).keyInt32),
    learning_rate: float32([], [learningRate(step)]),
  });
  return Object.fromEntries(
    Object.entries(outputs).flatMap(([name, { data }]) => (data.length === 1 ? [[name, Number(data[0])]] : [])),
  );
}

/** The programs leave the state as it is exactly where the gradient's norm is not finite. */
function isSkipped(outputs: Readonly<Record<string, number>>): boolean {
  const norm = outputs["grad_norm"];
  return norm !== undefined && !Number.isFinite(norm);
}

function skipWarning(step: number, inARow: number): TrainEvent {
  const message = `step ${step}: left out, its gradient is not finite (${inARow} in a row)`;
  return { kind: "warning", code: "train.skipped", message };
}

function spikeWarning(step: number, loss: number, usual: number): TrainEvent {
  const message = `step ${step}: the loss jumped to ${loss.toFixed(3)} from about ${usual.toFixed(3)}`;
  return { kind: "warning", code: "train.loss-spike", message };
}

function requireFinite(outputs: Readonly<Record<string, number>>, where: string, lastPath: string | undefined): void {
  for (const name of ["loss", "grad_norm"]) {
    const value = outputs[name];
    if (value === undefined || Number.isFinite(value)) continue;
    throw new UserError("train.not-finite", `${where}: expected a finite ${name}, got ${value}`, {
      fix:
        lastPath === undefined
          ? "Lower the learning rate or raise its warm-up and run again; there was no checkpoint yet"
          : `Lower the learning rate or raise its warm-up, in a new folder; the last good checkpoint is ${lastPath}`,
    });
  }
}

/** Decides when to write checkpoints, and writes them. */
class Saver {
  private since = performance.now();
  private losses = 0;
  private lossCount = 0;

  constructor(
    private readonly options: Pick<
      LoopOptions<Position>,
      "out" | "identity" | "session" | "stateNames" | "checkpoints"
    >,
    private readonly metrics: MetricsFile,
    private last: { readonly step: number; readonly path: string } | undefined,
  ) {}

  get lastStep(): number | undefined {
    return this.last?.step;
  }

  get lastPath(): string | undefined {
    return this.last?.path;
  }

  note(loss: number): void {
    this.losses += loss;
    this.lossCount += 1;
  }

  due(step: number): boolean {
    const { everySteps, everySeconds } = this.options.checkpoints;
    if (everySteps !== null && step % everySteps === 0) return true;
    return everySeconds !== null && performance.now() - this.since >= 1000 * everySeconds;
  }

  async save(step: number, position: Position): Promise<TrainEvent> {
    const { out, identity, session, stateNames, checkpoints } = this.options;
    await this.metrics.sync();
    const loss = this.lossCount === 0 ? null : this.losses / this.lossCount;
    const { stage, rngKey, config, inputs } = identity;
    const meta = { stage, step, rngKey: [...rngKey] as [number, number], position, config, inputs, loss };
    const path = await writeCheckpoint(out, meta, await session.read(stateNames));
    await pruneCheckpoints(out, { last: checkpoints.keep, best: checkpoints.best });
    this.last = { step, path };
    this.since = performance.now();
    this.losses = 0;
    this.lossCount = 0;
    return { kind: "checkpoint", step, path };
  }
}
