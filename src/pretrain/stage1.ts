import { sha256 } from "../base/index.js";
import { readManifest } from "../corpus/index.js";
import { parseModelConfig, type ModelConfigInput } from "../model/index.js";
import { identifiersByLanguage } from "./_identifiers.js";
import { parseStage1Config, type Stage1ConfigInput } from "./config.js";
import { openShards } from "./documents.js";
import { corpusValidation, stage1Evaluator, type ValidationData } from "./evaluation/index.js";
import { requireLength, runStage, updateOptions, type RunPlace, type StagePlan, type Weights } from "./run.js";
import { Stage1Batches, type Stage1Position } from "./stage1-batches.js";
import { stage1Steps } from "./step.js";
import type { FindIdentifiers, PretrainTokenizer, TrainEvent, TrainingDocument } from "./types.js";

/** Documents and a hash that names them. */
export interface DocumentSource {
  readonly hash: string;
  documents(): AsyncIterable<TrainingDocument>;
  /** What evaluation looks at; without it there is none. */
  readonly validation?: ValidationData;
}

/** What both stages are told. */
export interface StageOptions extends RunPlace {
  readonly model: ModelConfigInput;
  readonly tokenizer: PretrainTokenizer;
  /** Weights to begin with; else GPT-2's initialisation from the seed. */
  readonly initial?: Weights;
  /** Aborted, the step in hand finishes and a checkpoint is written. */
  readonly signal?: AbortSignal;
}

/** @see runStage1 */
export interface Stage1Options extends StageOptions {
  readonly config: Stage1ConfigInput;
  /** A corpus folder, or documents from elsewhere. */
  readonly corpus: string | DocumentSource;
  /** Finds the names that a document defines; by default its language's parser. */
  readonly identifiers?: FindIdentifiers;
}

/**
 * Stage 1 of the paper: denoising by random masking and identifier deobfuscation over packed documents.
 *
 * @returns events; `done` names the last checkpoint
 * @throws UserError see `runStage`
 */
export async function* runStage1(options: Stage1Options): AsyncGenerator<TrainEvent> {
  yield* runStage(await stage1Plan(options), options);
}

/** Everything of a stage 1 run but where and on what it runs. */
export async function stage1Plan(options: Omit<Stage1Options, keyof RunPlace>): Promise<StagePlan<Stage1Position>> {
  const config = parseStage1Config(options.config);
  const model = parseModelConfig(options.model);
  requireLength("stage 1 config: length", config.length, model);
  const { corpus, tokenizer, identifiers = identifiersByLanguage } = options;
  const corpusHash = typeof corpus === "string" ? await hashOfCorpus(corpus) : corpus.hash;
  return {
    stage: "stage1",
    training: config,
    model,
    tokenizer,
    initial: options.initial,
    corpusHash,
    stepOf: (chunk) => stage1Steps(model, updateOptions(config), chunk),
    // eslint-disable-next-line require-yield -- stage 2 reports while it reads; reading documents is quick
    source: async function* (rng, dataWorkers) {
      const documents =
        typeof corpus === "string" ? await openShards(corpus, rng) : await readAll(corpus, options.signal);
      return new Stage1Batches({
        documents,
        tokenizer,
        identifiers,
        objective: config.objective,
        masking: config.masking,
        share: config.deobfuscation.share,
        rows: config.batch,
        length: config.length,
        steps: config.steps,
        rng,
        threads: options.identifiers === undefined ? dataWorkers : 0,
      });
    },
    evaluator: async (rng) => {
      const data =
        typeof corpus === "string" ? await corpusValidation(corpus, config.evaluation, rng) : corpus.validation;
      if (data === undefined || data.documents.length === 0) return undefined;
      return stage1Evaluator({ config, model, tokenizer, identifiers, data, rng });
    },
    summarise: stage1Metrics,
    signal: options.signal,
  };
}

async function hashOfCorpus(folder: string): Promise<string> {
  return sha256(JSON.stringify(await readManifest(folder)));
}

async function readAll(source: DocumentSource, signal: AbortSignal | undefined): Promise<TrainingDocument[]> {
  const documents: TrainingDocument[] = [];
  for await (const { lang, text } of source.documents()) {
    signal?.throwIfAborted();
    documents.push({ lang, text });
  }
  return documents;
}

/**
 * Loss and accuracy over the masked tokens of either objective. The program's outputs are weighted sums; an objective
 * that a batch lacks has no metrics.
 */
export function stage1Metrics(
  outputs: Readonly<Record<string, number>>,
  stats: Readonly<Record<string, number>>,
): Record<string, number> {
  const metrics: Record<string, number> = { loss: outputs["loss"]!, grad_norm: outputs["grad_norm"]! };
  for (const objective of ["r", "d"]) {
    const weight = outputs[`weight_${objective}`] ?? 0;
    if (weight === 0) continue;
    metrics[`loss_${objective}`] = outputs[`loss_${objective}`]! / weight;
    metrics[`accuracy_${objective}`] = outputs[`correct_${objective}`]! / weight;
  }
  return { ...metrics, ...stats };
}
