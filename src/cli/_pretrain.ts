import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { ArgDef } from "citty";
import { parseConfig, UserError, type ProgressEvent } from "../base/index.js";
import { MODEL_FILES, readEncoder, saveEncoder } from "../encoder/index.js";
import type { ModelConfig, ModelConfigInput } from "../model/index.js";
import { parseModelConfig, SIZES, sizeWith, type SizeName } from "../model/index.js";
import {
  latestCheckpoint,
  matryoshkaOf,
  readCheckpoint,
  weightsOf,
  type TrainEvent,
  type Weights,
} from "../pretrain/index.js";
import type { Tokenizer } from "../tokenizer/index.js";
import { wholeNumber } from "./_arguments.js";
import { merge, readObject } from "./_config.js";
import { ENGINE_ARGS } from "./_engine.js";
import type { Context } from "./command.js";

const object = z.record(z.string(), z.unknown());

/** The file behind `--config`. The rooms validate what is inside `model` and `training`. */
const fileSchema = z.strictObject({
  size: z.enum(Object.keys(SIZES) as [SizeName, ...SizeName[]]).optional(),
  model: object.default({}),
  training: object.default({}),
  engine: object.default({}),
});
type PretrainFile = z.output<typeof fileSchema>;

/** Options of both stages. */
export const COMMON_ARGS = {
  corpus: { type: "positional", description: "A corpus folder", required: true },
  tokenizer: { type: "string", valueHint: "DIR", description: "Folder of its tokenizer.json", required: true },
  out: {
    type: "string",
    valueHint: "DIR",
    description: "The run's folder; the encoder goes to DIR/model",
    required: true,
  },
  steps: { type: "string", valueHint: "N", description: "Updates in all" },
  batch: { type: "string", valueHint: "N", description: "Rows (stage 1) or pairs (stage 2) of a batch" },
  "learning-rate": { type: "string", valueHint: "X", description: "Peak of the schedule" },
  warmup: { type: "string", valueHint: "N", description: "Updates over which the learning rate rises" },
  seed: { type: "string", valueHint: "N", description: "Seed of every random choice" },
  ...ENGINE_ARGS,
  config: {
    type: "string",
    valueHint: "FILE",
    description: "JSON {size, model: {...}, training: {...}, engine: {...}}; options go over it",
  },
} as const satisfies Record<string, ArgDef>;

/** Named sizes, for help pages. */
export const SIZE_NAMES = Object.keys(SIZES).join(", ");

interface CommonValues {
  readonly steps?: string | undefined;
  readonly batch?: string | undefined;
  readonly "learning-rate"?: string | undefined;
  readonly warmup?: string | undefined;
  readonly seed?: string | undefined;
  readonly config?: string | undefined;
}

/** The config file completed by the options that both stages have. */
export async function readPretrainFile(args: CommonValues): Promise<PretrainFile> {
  const content = args.config === undefined ? {} : await readObject(args.config);
  const file = parseConfig(fileSchema, content, args.config ?? "options");
  const optimizer = {
    ...(args["learning-rate"] === undefined ? {} : { learningRate: Number(args["learning-rate"]) }),
    ...(args.warmup === undefined ? {} : { warmup: wholeNumber(args.warmup, "warmup", 0) }),
  };
  const training = merge(file.training, {
    ...(args.steps === undefined ? {} : { steps: wholeNumber(args.steps, "steps") }),
    ...(args.batch === undefined ? {} : { batch: wholeNumber(args.batch, "batch") }),
    ...(args.seed === undefined ? {} : { seed: wholeNumber(args.seed, "seed", 0) }),
    ...(Object.keys(optimizer).length === 0 ? {} : { optimizer }),
  });
  if (training["steps"] === undefined) {
    throw new UserError("arguments.missing", "expected the number of steps, got none", {
      fix: "Give --steps N, or training.steps in the config file",
    });
  }
  return { ...file, training };
}

/** A model of a named size (or of a config file's) for a tokenizer's vocabulary. */
export function modelFor(size: string | undefined, file: PretrainFile, tokenizer: Tokenizer): ModelConfig {
  const name = size ?? file.size ?? "tiny";
  const { vocabSize, padId, eosId, maskId } = tokenizer;
  return sizeWith(name as SizeName, { vocabSize, padId, eosId, maskId, ...file.model });
}

/** What a stage begins with. */
export interface Start {
  readonly weights: Weights;
  readonly model: ModelConfig;
  /** Widths that vectors were trained to be cut to. */
  readonly matryoshka?: readonly number[] | undefined;
}

/** The option of both stages that names what to begin with. */
export const FROM_ARG = {
  type: "string",
  valueHint: "DIR",
  description: "What to begin with, in place of a size: a run, one of its checkpoints, or a model folder",
} as const satisfies ArgDef;

/**
 * The model of `--from` with its weights, or of a named size without any.
 *
 * @throws UserError `arguments.value` where both are given; those of {@link readStart}
 */
export async function modelAndWeights(
  name: string,
  args: { readonly from?: string | undefined; readonly size?: string | undefined },
  file: PretrainFile,
  tokenizer: Tokenizer,
): Promise<{ model: ModelConfigInput; initial?: Weights }> {
  if (args.from === undefined) return { model: modelFor(args.size, file, tokenizer) };
  if ((args.size ?? file.size) !== undefined) {
    throw new UserError("arguments.value", `${name}: expected --from or a size, got both`, {
      fix: "Leave the size out, of the config file too: the model that --from names is used",
    });
  }
  const start = await readStart(args.from, tokenizer);
  return { model: { ...start.model, ...file.model }, initial: start.weights };
}

/**
 * What to begin with: a run folder's newest checkpoint, a checkpoint `RUN/checkpoints/step-N`, or a model folder.
 *
 * @throws UserError `checkpoint.missing`, `checkpoint.corrupt`; `tokenizer.mismatch` where it was trained with another; those
 * of reading a model folder
 */
export async function readStart(path: string, tokenizer: Tokenizer): Promise<Start> {
  if (existsSync(join(path, MODEL_FILES.checksums))) {
    const { config: model, weights, matryoshka, tokenizer: own } = await readEncoder(path);
    requireTokenizer(path, own.hash, tokenizer);
    return { weights, model, matryoshka };
  }
  const newest = (await latestCheckpoint(path)).checkpoint;
  const checkpoint = newest ?? (await readCheckpoint(path));
  requireTokenizer(checkpoint.path, checkpoint.meta.inputs["tokenizer"], tokenizer);
  const model = parseModelConfig(checkpoint.meta.config["model"], checkpoint.path);
  return { weights: weightsOf(checkpoint, model), model, matryoshka: matryoshkaOf(checkpoint) };
}

function requireTokenizer(path: string, recorded: string | undefined, given: Tokenizer): void {
  if (recorded === given.hash) return;
  throw new UserError(
    "tokenizer.mismatch",
    `${path}: expected its own tokenizer ${recorded?.slice(0, 12)}, got ${given.hash.slice(0, 12)}`,
    { fix: "Use the tokenizer that the checkpoint was trained with" },
  );
}

/**
 * Follows a training run to its end, and exports the encoder when all steps are done.
 *
 * @param out the run's folder
 */
export async function follow(
  events: AsyncIterable<TrainEvent>,
  out: string,
  tokenizer: Tokenizer,
  { progress, say, print }: Pick<Context, "progress" | "say" | "print">,
): Promise<void> {
  for await (const event of events) {
    if (event.kind === "progress") progress(event satisfies ProgressEvent);
    else if (event.kind === "warning") say(`warning: ${event.message}`);
    else if (event.kind === "start" && event.resumedFrom !== undefined) {
      say(`${event.stage}: going on from step ${event.step} (${event.resumedFrom})`);
    } else if (event.kind === "stopped") {
      say(`stopped at step ${event.step}; the same command goes on from there`);
    } else if (event.kind === "done") {
      const folder = join(out, "model");
      await exportEncoder(event.path, folder, tokenizer);
      await print(`${folder}\n`);
    }
  }
}

/** Writes the encoder of a checkpoint as a model folder. */
async function exportEncoder(checkpointPath: string, folder: string, tokenizer: Tokenizer): Promise<void> {
  const checkpoint = await readCheckpoint(checkpointPath);
  const config = parseModelConfig(checkpoint.meta.config["model"], checkpoint.path);
  const weights = weightsOf(checkpoint, config);
  await saveEncoder(folder, { config, weights, tokenizer, matryoshka: matryoshkaOf(checkpoint) });
}
