import type { Language, Rng } from "../../base/index.js";
import type { Graph } from "../../graph/index.js";
import type { ModelConfig } from "../../model/index.js";
import type { Stage1Config, Stage2Config } from "../config.js";
import { ExampleMaker } from "../examples.js";
import type { Example, Objective } from "../packing.js";
import { predictProgram } from "../programs/index.js";
import type { DecodingTokenizer } from "../types.js";
import { embedProgram, stage1Evaluate } from "../programs/index.js";
import type { FindIdentifiers, PretrainTokenizer, TrainingDocument, TrainSession } from "../types.js";
import type { ValidationData, ValidationPair } from "./data.js";
import { evaluateMasked, packExamples, type MaskedSet } from "./masked.js";
import { retrievalMetrics, tokeniseRetrieval } from "./retrieval.js";
import { guessSamples, sampleTasks, type Sample } from "./samples.js";

/** What an evaluation found. */
export interface Evaluation {
  readonly metrics: Readonly<Record<string, number>>;
  readonly samples: readonly Sample[];
}

/** Looks at the state that is being trained, in its own session, and changes nothing. */
export interface Evaluator {
  /** Programs beside the training's. */
  readonly programs: Readonly<Record<string, Graph>>;
  evaluate(session: TrainSession, step: number): Promise<Evaluation>;
}

/** @see stage1Evaluator */
export interface Stage1EvaluatorOptions {
  readonly config: Stage1Config;
  readonly model: ModelConfig;
  readonly tokenizer: PretrainTokenizer;
  readonly identifiers: FindIdentifiers;
  readonly data: ValidationData;
  readonly rng: Rng;
}

const PROGRAMS = { masked: "evaluate_masked", embed: "evaluate_embed", predict: "evaluate_predict" } as const;

/**
 * Stage 1's evaluation: every validation document's first `length` tokens masked once at random and once by its names
 * (always the same places), pairs for quick retrieval with the model's own pooling, and some tokens to guess.
 */
export async function stage1Evaluator(options: Stage1EvaluatorOptions): Promise<Evaluator> {
  const { config, model, tokenizer, data, rng } = options;
  const sets = await maskedSets(options);
  const texts = data.pairs.length < 2 ? undefined : await tokeniseRetrieval(data.pairs, tokenizer, quickLengths(model));
  const decoding = isDecoding(tokenizer) ? tokenizer : undefined;
  const { samples: count } = config.evaluation;
  const tasks =
    decoding === undefined
      ? []
      : await sampleTasks(data.documents, decoding, { count, length: config.length, rng: rng.split("samples") });
  return {
    programs: {
      [PROGRAMS.masked]: stage1Evaluate(model),
      ...(texts === undefined ? {} : { [PROGRAMS.embed]: embedProgram(model) }),
      ...(tasks.length === 0 ? {} : { [PROGRAMS.predict]: predictProgram(model) }),
    },
    async evaluate(session, step) {
      const metrics = await evaluateMasked(session, PROGRAMS.masked, sets);
      if (texts !== undefined) {
        Object.assign(metrics, await retrievalMetrics(session, PROGRAMS.embed, texts, tokenizer.padId));
      }
      const samples =
        decoding === undefined ? [] : await guessSamples(session, PROGRAMS.predict, tasks, decoding, step);
      return { metrics, samples };
    },
  };
}

/** Stage 1 knows nothing of pairs: lengths that a quick look can afford. */
function quickLengths({ maxLength }: ModelConfig): { text: number; code: number } {
  return { text: Math.min(64, maxLength), code: Math.min(128, maxLength) };
}

/** @see stage2Evaluator */
export interface Stage2EvaluatorOptions {
  readonly config: Pick<Stage2Config, "textLength" | "codeLength">;
  readonly model: ModelConfig;
  readonly tokenizer: PretrainTokenizer;
  readonly pairs: readonly ValidationPair[];
}

/** Stage 2's evaluation: held-out summaries and their whole functions, cut as in training, embedded without dropout. */
export async function stage2Evaluator({ config, model, tokenizer, pairs }: Stage2EvaluatorOptions): Promise<Evaluator> {
  const texts = await tokeniseRetrieval(pairs, tokenizer, { text: config.textLength, code: config.codeLength });
  return {
    programs: { [PROGRAMS.embed]: embedProgram(model) },
    evaluate: async (session) => ({
      metrics: await retrievalMetrics(session, PROGRAMS.embed, texts, tokenizer.padId),
      samples: [],
    }),
  };
}

async function maskedSets({ config, tokenizer, identifiers, data, rng }: Stage1EvaluatorOptions): Promise<MaskedSet[]> {
  const maker = new ExampleMaker({
    ...{ tokenizer, identifiers, masking: config.masking, share: config.deobfuscation.share },
    ...{ rng: rng.split("masks"), cacheTokens: 0 },
  });
  const rows = config.chunk ?? config.batch;
  const found = new Map<string, { lang: Language; objective: Objective; examples: Example[] }>();
  for (const [number, { lang, text }] of data.documents.entries()) {
    for (const wanted of ["R", "D"] as const) {
      const example = await maker.make({ epoch: 0, number, wanted, lang, text: beginning(text, config.length) });
      if (example === undefined || example.objective !== wanted) continue; // Without names: R only.
      const key = `${lang} ${wanted}`;
      const set = found.get(key) ?? { lang, objective: wanted, examples: [] };
      found.set(key, set);
      const end = config.length;
      set.examples.push({ ...example, input: example.input.slice(0, end), labels: example.labels.slice(0, end) });
    }
  }
  const sets: MaskedSet[] = [];
  for (const { lang, objective, examples } of found.values()) {
    const shape = { rows, length: config.length, padId: tokenizer.padId };
    sets.push({ lang, objective, batches: await packExamples(examples, shape) });
  }
  return sets;
}

/** Enough text for so many tokens, so that a long file is not parsed for its head; cut at a line's end. */
function beginning(text: TrainingDocument["text"], tokens: number): string {
  const enough = 16 * tokens;
  if (text.length <= enough) return text;
  const end = text.lastIndexOf("\n", enough);
  return text.slice(0, end > 0 ? end + 1 : enough);
}

function isDecoding(tokenizer: PretrainTokenizer): tokenizer is DecodingTokenizer {
  return "decode" in tokenizer;
}
