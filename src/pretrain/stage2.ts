import { LANGUAGES, sha256, sha256File, UserError, type Language } from "../base/index.js";
import { readManifest, readPairs } from "../corpus/index.js";
import { parseModelConfig, type ModelConfig } from "../model/index.js";
import { parseStage2Config, type Stage2ConfigInput } from "./config.js";
import { stage2Evaluator, validationPairs, type ValidationPair } from "./evaluation/index.js";
import { tokenisePairs } from "./pair-tokens.js";
import { readMined, requireFile } from "./pairs/negatives.js";
import { distillationOf, embedByTeacher, type Teacher } from "./pairs/teacher.js";
import { leftOutWarnings, pairWarnings, type PairWarning } from "./pairs/warnings.js";
import { modalitiesOf, type Stage2Loss } from "./programs/index.js";
import { requireLength, runStage, updateOptions, type RunPlace, type StagePlan } from "./run.js";
import type { StageOptions } from "./stage1.js";
import { Stage2Batches, type Stage2Position } from "./stage2-batches.js";
import { stage2Steps } from "./step.js";
import type { TrainEvent, TrainingPair } from "./types.js";

/** Pairs and a hash that names them. */
export interface PairSource {
  readonly hash: string;
  /** Languages that it should have pairs of: the lack of one is told. */
  readonly languages?: readonly Language[];
  pairs(): AsyncIterable<TrainingPair>;
  /** What evaluation looks at; without it there is none. */
  readonly validation?: readonly ValidationPair[];
}

/** @see runStage2 */
export interface Stage2Options extends StageOptions {
  readonly config: Stage2ConfigInput;
  /** A corpus folder (its training split), or pairs from elsewhere. */
  readonly corpus: string | PairSource;
  /** The opened encoder that `config.teacher` names. */
  readonly teacher?: Teacher;
}

/**
 * Stage 2 of the paper: bimodal contrastive learning over (summary, function) pairs. `initial` is stage 1's
 * result; without it training is from scratch.
 *
 * @returns events; `done` names the last checkpoint
 * @throws UserError see `runStage`
 */
export async function* runStage2(options: Stage2Options): AsyncGenerator<TrainEvent> {
  yield* runStage(await stage2Plan(options), options);
}

/** Everything of a stage 2 run but where and on what it runs. */
export async function stage2Plan(options: Omit<Stage2Options, keyof RunPlace>): Promise<StagePlan<Stage2Position>> {
  const config = parseStage2Config(options.config);
  const model = parseModelConfig(options.model);
  requireLength("stage 2 config: textLength", config.textLength, model);
  requireLength("stage 2 config: codeLength", config.codeLength, model);
  const { temperature } = config.loss;
  const { corpus, tokenizer, signal } = options;
  const { positives, text = "summary", languages, negatives: mined, textLength, codeLength } = config;
  const data = typeof corpus === "string" ? await corpusPairs(corpus) : corpus;
  const teaching =
    config.teacher === undefined ? undefined : distillationOf(config.teacher, options.teacher, model.width);
  const loss = { ...config.loss, ...(teaching === undefined ? {} : { teacher: teaching }) };
  requireLossFits(loss, model);
  const corpusHash = hashWith(data.hash, [
    ...(mined === undefined ? [] : [await sha256File(await requireFile(mined.file))]),
    ...(teaching === undefined ? [] : [options.teacher!.encoder.name]),
  ]);
  return {
    stage: "stage2",
    training: config,
    model,
    tokenizer,
    initial: options.initial,
    corpusHash,
    stepOf: (chunk) => stage2Steps(model, loss, updateOptions(config), chunk),
    source: async function* (rng) {
      const pairs = yield* tokenisePairs(data.pairs(), {
        tokenizer,
        textLength,
        codeLength,
        positives,
        text,
        ...(languages === undefined ? {} : { languages }),
        ...(signal === undefined ? {} : { signal }),
      });
      yield* warnings(pairWarnings(pairs, { text, wanted: languages, expected: data.languages ?? [] }));
      const { batch, lengthPool: pool, lengthMultiple, batches = "mixed", languageTemperature = 1 } = config;
      const negatives = mined === undefined ? undefined : await readMined(mined, pairs);
      const teacher =
        config.teacher === undefined || options.teacher === undefined
          ? undefined
          : yield* embedByTeacher(data.pairs(), { ...config.teacher, ...options.teacher, hash: data.hash, signal });
      const source = new Stage2Batches({
        ...{ pairs, tokenizer, positives, text, batch, pool, lengthMultiple, batches, languageTemperature, rng },
        ...(negatives === undefined ? {} : { negatives }),
        ...(teacher === undefined ? {} : { teacher }),
      });
      yield* warnings(leftOutWarnings(source.leftOut, batch));
      return source;
    },
    evaluator: async (rng) => {
      const count = config.evaluation?.pairs ?? 0;
      const held = typeof corpus === "string" ? await validationPairs(corpus, count, rng) : corpus.validation;
      if (held === undefined || held.length < 2) return undefined;
      return stage2Evaluator({ config, model, tokenizer, pairs: held });
    },
    summarise: (outputs, stats) => ({
      ...(typeof temperature === "number" ? { temperature } : {}),
      ...outputs,
      ...stats,
    }),
    signal,
  };
}

/** @throws UserError `config.invalid` where this model cannot be trained with this loss */
function requireLossFits(loss: Stage2Loss, model: ModelConfig): void {
  const wider = loss.matryoshka?.dims.find((dim) => dim > model.width);
  if (wider !== undefined) {
    throw new UserError(
      "config.invalid",
      `stage 2 config: loss.matryoshka.dims: expected at most the model's width ${model.width}, got ${wider}`,
      { fix: "Leave it out, or take a wider model" },
    );
  }
  if (loss.teacher !== undefined && !modalitiesOf(loss).includes("bimodal")) {
    throw new UserError(
      "config.invalid",
      "stage 2 config: teacher: expected a loss that compares summaries with code, got one that does not",
      { fix: 'Add "bimodal" to loss.modality, or leave the teacher out' },
    );
  }
  if (model.dropout === 0 && modalitiesOf(loss).some((modality) => modality !== "bimodal")) {
    throw new UserError(
      "config.invalid",
      "stage 2 config: loss.modality: expected a model with dropout, got rate 0: both views of a text would be the same",
      { fix: "Set the model's dropout, or compare summaries with code (bimodal)" },
    );
  }
}

/** The hash of the pairs, or of them and what else decides what is learned of them. */
function hashWith(pairs: string, others: readonly string[]): string {
  return others.length === 0 ? pairs : sha256([pairs, ...others].join("\n"));
}

function* warnings(found: readonly PairWarning[]): Generator<TrainEvent> {
  for (const { code, message } of found) yield { kind: "warning", code, message: `stage 2: ${message}` };
}

async function corpusPairs(folder: string): Promise<PairSource> {
  const manifest = await readManifest(folder);
  // Those that the corpus was asked for, or that files were found of.
  const languages = manifest.config.languages ?? LANGUAGES.filter((lang) => manifest.languages[lang] !== undefined);
  return { hash: sha256(JSON.stringify(manifest)), languages, pairs: () => readPairs(folder) };
}
