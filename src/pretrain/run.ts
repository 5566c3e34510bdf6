import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { lockFolder, Rng, toBytes, UserError, type Tensor } from "../base/index.js";
import type { Graph } from "../graph/index.js";
import { initialise, parameterShapes, type ModelConfig } from "../model/index.js";
import type { Checkpoint } from "./checkpoint.js";
import type { Stage1Config, Stage2Config } from "./config.js";
import type { Evaluator } from "./evaluation/index.js";
import { trainLoop, type LoopOptions } from "./loop.js";
import { lossParameters } from "./losses/index.js";
import { automaticChunk, isOutOfMemory, outOfMemory, type UpdateSize } from "./memory.js";
import { SCHEDULES, type Schedule } from "./optimizer/index.js";
import { initialState, type Stage, type UpdateOptions } from "./programs/index.js";
import { resumePoint, type RunIdentity } from "./resume.js";
import type { Step } from "./step.js";
import type { BatchSource, Position, PretrainTokenizer, TrainEvent, TrainSession } from "./types.js";

/** The part of an engine that training uses. */
export interface TrainEngine {
  open(
    programs: Readonly<Record<string, Graph>>,
    state: Readonly<Record<string, Tensor>>,
    options?: EngineSettings,
  ): Promise<TrainSession & { close(): Promise<void> }>;
}

/** Passed on to the engine; decides speed, not what is trained. */
export interface EngineSettings {
  readonly threads?: number;
  readonly provider?: string;
}

/** Parameters by name. */
export type Weights = Readonly<Record<string, Tensor>>;

/** One stage, ready to run but for its data. */
export interface StagePlan<P extends Position> {
  readonly stage: Stage;
  readonly training: Stage1Config | Stage2Config;
  readonly model: ModelConfig;
  readonly tokenizer: PretrainTokenizer;
  readonly initial: Weights | undefined;
  readonly corpusHash: string;
  /** How an update is computed: `chunk` rows or pairs at a time, or all at once (null). */
  readonly stepOf: (chunk: number | null) => Step;
  /** Opens the data; only called where there are steps left. `dataWorkers` threads prepare batches. */
  readonly source: (rng: Rng, dataWorkers: number) => AsyncGenerator<TrainEvent, BatchSource<P>>;
  readonly summarise: LoopOptions<P>["summarise"];
  /** Prepares evaluations; gives undefined where there is nothing to evaluate on. */
  readonly evaluator?: (rng: Rng) => Promise<Evaluator | undefined>;
  readonly signal: AbortSignal | undefined;
}

/** Where and with what a stage runs. */
export interface RunPlace {
  /** The run folder. */
  readonly out: string;
  readonly engine: TrainEngine;
  readonly engineSettings?: EngineSettings;
  /** Threads that prepare batches while the engine runs; decides speed only. Default {@link defaultDataWorkers}. */
  readonly dataWorkers?: number;
}

/** A thread for every four processors, from 1 to 8; 0 (all in one thread) where there is only one processor. */
export function defaultDataWorkers(processors = availableParallelism()): number {
  return processors < 2 ? 0 : Math.min(8, Math.max(1, processors >> 2));
}

/**
 * Runs a stage in its folder, from the folder's newest checkpoint if there is one.
 *
 * @throws UserError `output.locked`, `checkpoint.mismatch`, `checkpoint.corrupt`, `tokenizer.mismatch`,
 * `weights.mismatch` and those of the loop and the data
 */
export async function* runStage<P extends Position>(plan: StagePlan<P>, place: RunPlace): AsyncGenerator<TrainEvent> {
  const { stage, training, signal } = plan;
  const { out } = place;
  const rng = rngOf(plan);
  const identity = identityOf(plan);
  const release = await lockFolder(out);
  let checkpoint: Checkpoint | undefined;
  try {
    checkpoint = yield* resumePoint(out, identity);
    const step = checkpoint?.meta.step ?? 0;
    const resumed = checkpoint === undefined ? {} : { resumedFrom: checkpoint.path };
    yield { kind: "start", stage, step, steps: training.steps, ...resumed };
    if (checkpoint !== undefined && step === training.steps) {
      yield { kind: "done", step, path: checkpoint.path };
      return;
    }
    yield* train(plan, place, rng, identity, checkpoint);
  } catch (error) {
    if (signal?.aborted !== true || error !== signal.reason) throw error;
    // While the data was being read: nothing is lost.
    yield checkpoint === undefined
      ? { kind: "stopped", step: 0 }
      : { kind: "stopped", step: checkpoint.meta.step, path: checkpoint.path };
  } finally {
    await release();
  }
}

/** The run's random streams. */
export function rngOf<P extends Position>({ stage, training }: StagePlan<P>): Rng {
  return Rng.fromSeed(training.seed).split(stage);
}

/** What makes this run this run. @throws UserError `tokenizer.mismatch` */
export function identityOf<P extends Position>(plan: StagePlan<P>): RunIdentity {
  const { stage, training, model, tokenizer } = plan;
  requireVocabulary(model, tokenizer);
  return {
    stage,
    rngKey: rngOf(plan).state.key,
    config: { model, training },
    inputs: { tokenizer: tokenizer.hash, corpus: plan.corpusHash, initial: weightsHash(plan.initial) },
  };
}

/** Parameters and moments before the first update. @throws UserError `weights.mismatch` */
export function stateAtStart<P extends Position>(plan: StagePlan<P>): Record<string, Tensor> {
  const { model, initial, training, stage } = plan;
  const extra = "loss" in training ? lossParameters(training.loss.temperature) : undefined;
  return initialState(model, startingWeights(model, initial, rngOf(plan)), updateOptions(training), stage, extra);
}

/** The learning rate of every update. */
export function scheduleOf({ steps, optimizer }: Stage1Config | Stage2Config): Schedule {
  const { learningRate, warmup, floor, schedule = "linear" } = optimizer;
  return SCHEDULES[schedule]({ peak: learningRate, warmup, total: steps, floor });
}

async function* train<P extends Position>(
  plan: StagePlan<P>,
  { out, engine, engineSettings = {}, dataWorkers = defaultDataWorkers() }: RunPlace,
  rng: Rng,
  identity: RunIdentity,
  checkpoint: Checkpoint | undefined,
): AsyncGenerator<TrainEvent> {
  const { training, signal } = plan;
  const chunk = chunkOf(plan);
  const source = yield* plan.source(rng, dataWorkers);
  let session: Awaited<ReturnType<TrainEngine["open"]>> | undefined;
  try {
    const state = checkpoint?.state ?? stateAtStart(plan);
    const { programs, scratch, run } = plan.stepOf(chunk);
    const evaluation = yield* evaluationOf(plan, rng);
    session = await engine.open(
      { ...programs, ...evaluation?.evaluator.programs },
      { ...state, ...scratch },
      engineSettings,
    );
    yield* trainLoop({
      out,
      identity,
      steps: training.steps,
      from:
        checkpoint === undefined
          ? { step: 0, position: source.start }
          : { step: checkpoint.meta.step, position: checkpoint.meta.position as P, path: checkpoint.path },
      source,
      session,
      runStep: run,
      stateNames: Object.keys(state),
      rng,
      learningRate: scheduleOf(training),
      checkpoints: training.checkpoints,
      summarise: plan.summarise,
      skipsInARow: typeof training.notFinite === "object" ? training.notFinite.skip : 0,
      ...(evaluation === undefined ? {} : { evaluation }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    throw isOutOfMemory(error) ? outOfMemory(error, plan.model, sizeOf(training, chunk)) : error;
  } finally {
    await session?.close();
    await source.close?.();
  }
}

/** Rows or pairs computed at a time; null for all. What `auto` means is decided here, by this machine's memory. */
export function chunkOf<P extends Position>({ training, model }: StagePlan<P>): number | null {
  if ("length" in training || training.chunk !== "auto") return training.chunk as number | null;
  return automaticChunk(model, training);
}

function sizeOf(training: Stage1Config | Stage2Config, chunk: number | null): UpdateSize {
  const items = chunk ?? training.batch;
  // At most about a third of the tokens are masked where every name is.
  if ("length" in training) return { items, length: training.length, masked: 1 / 3 };
  return { items, length: training.textLength + training.codeLength, masked: 0 };
}

async function* evaluationOf<P extends Position>(
  { training, evaluator }: StagePlan<P>,
  rng: Rng,
): AsyncGenerator<TrainEvent, LoopOptions<P>["evaluation"]> {
  const everySteps = training.evaluation?.everySteps ?? null;
  if (everySteps === null || evaluator === undefined) return undefined;
  const made = await evaluator(rng.split("evaluation"));
  if (made !== undefined) return { everySteps, evaluator: made };
  yield {
    kind: "warning",
    code: "evaluation.no-data",
    message:
      "evaluation: expected held-out records in the corpus's validation split, got none; the run goes on without evaluations",
  };
  return undefined;
}

/** The optimizer's part of a stage's configuration, as the programs take it. */
export function updateOptions({ optimizer, notFinite }: Stage1Config | Stage2Config): UpdateOptions {
  const { betas, eps, weightDecay, clip, embeddingRate } = optimizer;
  const skips = typeof notFinite === "object" ? { skipNotFinite: true } : {};
  return { betas, eps, weightDecay, clip, embeddingRate, ...skips };
}

/**
 * The weights that training begins with: the given ones, checked; what only pooling needs may be missing and is then
 * initialised, as is everything where none are given.
 *
 * @throws UserError `weights.mismatch`
 */
export function startingWeights(model: ModelConfig, given: Weights | undefined, rng: Rng): Record<string, Tensor> {
  const fresh: Record<string, Tensor> = initialise(model, rng);
  if (given === undefined) return fresh;
  const mismatch = (name: string, expected: string, got: string): UserError =>
    new UserError("weights.mismatch", `initial weights: expected ${name} ${expected}, got ${got}`, {
      fix: "Begin with weights of a model of the same shape",
    });
  for (const [name, shape] of Object.entries(parameterShapes(model))) {
    const tensor = given[name];
    if (tensor === undefined && name.startsWith("pool.")) continue;
    if (tensor === undefined) throw mismatch(name, `[${shape.join(", ")}]`, "no such tensor");
    if (tensor.dtype !== "float32" || tensor.dims.join() !== shape.join()) {
      throw mismatch(name, `float32 [${shape.join(", ")}]`, `${tensor.dtype} [${tensor.dims.join(", ")}]`);
    }
    fresh[name] = tensor;
  }
  return fresh;
}

/** The parameters in a checkpoint: what is exported, or handed to the next stage. */
export function weightsOf(checkpoint: Checkpoint, model: ModelConfig): Record<string, Tensor> {
  return Object.fromEntries(
    Object.keys(parameterShapes(model)).flatMap((name) => {
      const tensor = checkpoint.state[name];
      return tensor === undefined ? [] : [[name, tensor]];
    }),
  );
}

/** Widths that the run's stage 2 trained vectors to be cut to; undefined where it trained them whole alone. */
export function matryoshkaOf({ meta }: Pick<Checkpoint, "meta">): readonly number[] | undefined {
  const training = meta.config["training"] as Partial<Pick<Stage2Config, "loss">> | undefined;
  return training?.loss?.matryoshka?.dims;
}

function weightsHash(weights: Weights | undefined): string {
  if (weights === undefined) return "seed";
  const hash = createHash("sha256");
  for (const [name, value] of Object.entries(weights).sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name} ${value.dtype} ${value.dims.join()}\n`).update(toBytes(value));
  }
  return hash.digest("hex");
}

function requireVocabulary(model: ModelConfig, tokenizer: PretrainTokenizer): void {
  const complain = (what: string, expected: number, got: number): UserError =>
    new UserError(
      "tokenizer.mismatch",
      `model config: expected ${what} ${expected} as the tokenizer has it, got ${got}`,
      {
        fix: "Make the model's vocabSize, padId, eosId and maskId those of its tokenizer",
      },
    );
  for (const name of ["padId", "eosId", "maskId"] as const) {
    if (model[name] !== tokenizer[name]) throw complain(name, tokenizer[name], model[name]);
  }
  if (model.vocabSize < tokenizer.vocabSize) {
    throw complain("vocabSize of at least", tokenizer.vocabSize, model.vocabSize);
  }
}

/** @throws UserError `config.invalid` where a row is longer than the model takes */
export function requireLength(what: string, length: number, model: ModelConfig): void {
  if (length <= model.maxLength) return;
  throw new UserError(
    "config.invalid",
    `${what}: expected at most the model's maxLength ${model.maxLength}, got ${length}`,
    { fix: "Shorten it, or raise the model's maxLength" },
  );
}
