import { z } from "zod";
import { LANGUAGES, parseConfig } from "../base/index.js";
import { TEMPERATURE_BOUNDS, type LearnedTemperature } from "./losses/index.js";

const count = z.int().min(1);
const share = z.number().min(0).max(1);
const rate = z.union([
  share,
  z.strictObject({
    uniform: z
      .tuple([share, share])
      .refine(([low, high]) => low <= high, { message: "expected [low, high] with low <= high" }),
  }),
]);

const optimizer = z.strictObject({
  /** Peak of the schedule. */
  learningRate: z.number().positive().default(3e-4),
  /** Updates over which the rate rises. */
  warmup: z.int().min(0).default(0),
  /** Share of the peak that is left at the end. */
  floor: share.default(0),
  /** How the rate falls after its warm-up; linear, the paper's, if not given. */
  schedule: z.enum(["linear", "cosine", "constant"]).optional(),
  betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0.9, 0.999]),
  eps: z.number().positive().default(1e-8),
  weightDecay: z.number().min(0).default(0.1),
  /** Largest global gradient norm; null does not clip. */
  clip: z.number().positive().nullable().default(1),
  /** Learning rate of the embedding tables over that of the rest. */
  embeddingRate: z.number().positive().default(1),
});

const checkpoints = z.strictObject({
  /** Updates between checkpoints; null for none but by time. */
  everySteps: count.nullable().default(null),
  /** Seconds between checkpoints; null for none but by steps. */
  everySeconds: z.number().positive().nullable().default(600),
  /** The newest that stay. */
  keep: count.default(2),
  /** Whether the one with the lowest mean loss stays as well. */
  best: z.boolean().default(false),
});

const everySteps = {
  /** Updates between evaluations on the validation split, and one after the last; null for none. */
  everySteps: count.nullable().default(null),
};

const evaluation = z.strictObject({
  ...everySteps,
  /** Documents, the same number of each language. */
  documents: count.default(180),
  /** Pairs for quick retrieval; 0 for none. */
  pairs: z.int().min(0).default(500),
  /** Tokens that are guessed for `samples.json`. */
  samples: z.int().min(0).default(4),
});

const common = {
  seed: z.int().default(0),
  /** Updates of the whole run. */
  steps: count,
  optimizer: optimizer.prefault({}),
  checkpoints: checkpoints.prefault({}),
  /**
   * What happens where a loss or gradient is not finite: the run stops (if not given), or the update is left out, at most
   * `skip` of them in a row.
   */
  notFinite: z.union([z.literal("stop"), z.strictObject({ skip: count })]).optional(),
};

/** Stage 1: denoising. Defaults are the paper's method at our scale. Unknown keys are errors. */
export const stage1ConfigSchema = z
  .strictObject({
    ...common,
    /** Rows of a batch: 4,096 tokens an update with the length below, if neither is given. */
    batch: count.default(4),
    /** Rows computed at a time, gradients added up, where the batch does not fit in memory; null for all. */
    chunk: count.nullable().default(null),
    /** Tokens of a row: the paper's 1,024 if not given. */
    length: z.int().min(8).default(1024),
    /** `R` random masking, `D` deobfuscation, `P` a coin per document, `S` half of the steps R, then D. */
    objective: z.enum(["R", "D", "P", "S"]).default("P"),
    masking: z
      .strictObject({
        /** Share of the tokens that R picks; `{uniform: [a, b]}` draws one per document. */
        rate: rate.default(0.15),
        replacement: z.enum(["full", "80-10-10"]).default("full"),
      })
      .prefault({}),
    deobfuscation: z
      .strictObject({
        /** Share of a document's identifiers that D obfuscates. */
        share: rate.default(1),
      })
      .prefault({}),
    /** May change between calls: it decides nothing about what is trained. */
    evaluation: evaluation.prefault({}),
  })
  .refine(...warmupFits());

const temperatureValue = z
  .number()
  .positive({ error: ({ input }) => `expected a number above 0, got ${String(input)}` });

const learnedTemperature = z
  .strictObject({
    /** Where it begins. */
    learn: temperatureValue,
    /** After every update it is moved back into [min, max]; 0.01 and 1 if not given. */
    min: temperatureValue.optional(),
    max: temperatureValue.optional(),
  })
  .refine(({ learn, min = TEMPERATURE_BOUNDS[0], max = TEMPERATURE_BOUNDS[1] }) => min <= learn && learn <= max, {
    error: ({ input }) => {
      const { learn, min = TEMPERATURE_BOUNDS[0], max = TEMPERATURE_BOUNDS[1] } = input as LearnedTemperature;
      return `expected min <= learn <= max, got ${min}, ${learn}, ${max}`;
    },
  });

const matryoshka = z
  .strictObject({
    /** Widths that are trained as vectors of their own. */
    dims: z.array(count).min(1),
    /** What the loss of each is multiplied by; 1 if not given. */
    weights: z.array(z.number().positive()).optional(),
  })
  .refine(({ dims }) => dims.every((dim, index) => index === 0 || dim < dims[index - 1]!), {
    path: ["dims"],
    message: "expected widths in descending order",
  })
  .refine(({ dims, weights = dims }) => weights.length === dims.length, {
    path: ["weights"],
    message: "expected one weight for each of dims",
  });

const modality = z.enum(["bimodal", "code", "text"]);

const stage2Loss = z.strictObject({
  /** tau; or the one that training begins with, where it is learned. */
  temperature: z.union([temperatureValue, learnedTemperature]).default(0.05),
  /** Weights of negatives: `none`, or `hard`, the paper's. */
  weighting: z.enum(["none", "hard"]).default("hard"),
  /** Hard weights sum to 1 (`paper`), or to the number of negatives (`scaled`). */
  normalisation: z.enum(["paper", "scaled"]).default("paper"),
  /** Whether hard weights are constants to the gradient. */
  detach: z.boolean().default(false),
  /** Whether pairs with equal summaries or equal code are negatives of each other (`keep`, if not given) or not. */
  duplicates: z.enum(["keep", "mask"]).optional(),
  /**
   * What is compared: summaries with code (`bimodal`, if not given), or a side with itself under two dropout masks: `code`,
   * `text`, or `both` of them. The losses of a list are added up.
   */
  modality: z.union([modality, z.literal("both"), z.array(modality).min(1)]).optional(),
  /** Prefixes of the vectors that are trained as well; none if not given. */
  matryoshka: matryoshka.optional(),
  /** With `chunk`, anchors whose similarities exist at a time; chosen by the batch if not given. */
  block: count.optional(),
});

/** Stage 2: contrastive pairs. */
export const stage2ConfigSchema = z
  .strictObject({
    ...common,
    /** Pairs of a batch. */
    batch: z
      .int()
      .min(2, { error: ({ input }) => `expected at least 2, got ${String(input)}: one pair alone has no negatives` })
      .default(256),
    /**
     * Pairs computed at a time, by gradient caching, where the batch does not fit in memory; null for all, `auto` for all
     * that fits in half of this machine's memory.
     */
    chunk: z
      .union([count, z.literal("auto")])
      .nullable()
      .default("auto"),
    /** Longest text side and code side in tokens, end-of-sequence token included. */
    textLength: z.int().min(2).default(64),
    codeLength: z.int().min(2).default(128),
    /** Code side: `full` function, `hard` (body only), or the body with probability `mixed`. */
    positives: z.union([z.enum(["full", "hard"]), z.strictObject({ mixed: share })]).default({ mixed: 0.5 }),
    /** Text side: the summary, or with these probabilities the whole docstring, or the function's name for its body. */
    text: z
      .union([
        z.literal("summary"),
        z
          .strictObject({ docstring: share.optional(), name: share.optional() })
          .refine(({ docstring = 0, name = 0 }) => docstring + name <= 1, {
            message: "expected docstring and name to sum to at most 1",
          }),
      ])
      .optional(),
    /** Languages `mixed` in a batch (if not given), one in each, or batches of both kinds by turns. */
    batches: z.enum(["mixed", "same-language", "alternating"]).optional(),
    /** Languages are drawn in proportion to count^(1 / this): 1, the corpus's own shares, if not given. */
    languageTemperature: z.number().positive().optional(),
    /** Hard negatives of `lodestone corpus mine`: so many of each pair come into its batch with it. */
    negatives: z.strictObject({ file: z.string().min(1), perPair: count.default(1) }).optional(),
    /** An earlier encoder whose scores or vectors are learned as well. */
    teacher: z
      .strictObject({
        /** A model folder. */
        model: z.string().min(1),
        /** `scores`: which code it finds near which summary, of any width; `embeddings`: its vectors, of the model's width. */
        kind: z.enum(["scores", "embeddings"]).default("scores"),
        /** Of what is learned of it in the loss. */
        weight: z.number().positive().default(1),
        /** Of both distributions, with `scores`. */
        temperature: z.number().positive().default(0.05),
        /** Tokens that it reads of summary and function. */
        textLength: z.int().min(2).default(64),
        codeLength: z.int().min(2).default(256),
      })
      .optional(),
    /** Only pairs of these; each must have some. All of the corpus if not given. */
    languages: z.array(z.enum(LANGUAGES)).min(1).optional(),
    /** May change between calls: it decides nothing about what is trained. */
    evaluation: z
      .strictObject({
        ...everySteps,
        /** Held-out pairs, each summary looking for its function among all of them. */
        pairs: z.int().min(2).default(1000),
      })
      .optional(),
    /** Batches whose pairs are sorted by length together; 1 does not sort. */
    lengthPool: count.default(16),
    /** Batches are padded to a multiple of this many tokens. */
    lengthMultiple: count.default(16),
    loss: stage2Loss.prefault({}),
  })
  .refine(...warmupFits());

function warmupFits(): [
  (config: { steps: number; optimizer: { warmup: number } }) => boolean,
  { path: string[]; message: string },
] {
  return [
    (config) => config.optimizer.warmup <= config.steps,
    { path: ["optimizer", "warmup"], message: "expected no more than steps" },
  ];
}

/** A validated, frozen configuration of stage 1. */
export type Stage1Config = Readonly<z.output<typeof stage1ConfigSchema>>;
/** What a caller writes. */
export type Stage1ConfigInput = z.input<typeof stage1ConfigSchema>;
/** A validated, frozen configuration of stage 2. */
export type Stage2Config = Readonly<z.output<typeof stage2ConfigSchema>>;
/** What a caller writes. */
export type Stage2ConfigInput = z.input<typeof stage2ConfigSchema>;

/** @throws UserError `config.unknown-key`, `config.invalid` */
export function parseStage1Config(value: unknown, where = "stage 1 config"): Stage1Config {
  return parseConfig(stage1ConfigSchema, value, where);
}

/** @throws UserError `config.unknown-key`, `config.invalid` */
export function parseStage2Config(value: unknown, where = "stage 2 config"): Stage2Config {
  return parseConfig(stage2ConfigSchema, value, where);
}
