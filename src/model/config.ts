import { z } from "zod";
import { parseConfig } from "../base/index.js";

const count = z.int().min(1);

/** The encoder's configuration; unknown keys are errors. Defaults are the paper's where it has one. */
export const modelConfigSchema = z
  .strictObject({
    /** Transformer blocks. 0 is a *static bag*: token vectors, pooled. */
    layers: z.int().min(0),
    /** Attention heads; must divide `width`. */
    heads: count,
    /** Width of token vectors and of the sentence embedding (`H`). */
    width: count,
    /** Rows of the token embedding (`V`). */
    vocabSize: count,
    /** Longest sequence, in tokens; rows of the position embedding. */
    maxLength: count,
    /** Form of GELU: `tanh` is GPT-2's `gelu_new`, `none` the exact one with erf. */
    gelu: z.enum(["tanh", "none"]).default("tanh"),
    layerNormEps: z.number().positive().default(1e-5),
    /** Rate of every dropout: embedding, attention probabilities, both residual branches. */
    dropout: z.number().min(0).lt(1).default(0.1),
    /** Learned position embeddings `wpe`; without them the encoder is order-blind. */
    positions: z.boolean().default(true),
    /** The last LayerNorm `ln_f`. */
    finalNorm: z.boolean().default(true),
    /** Standard deviation of GPT-2's initialisation. */
    initStd: z.number().positive().default(0.02),
    /**
     * Output projections of both residual branches: `scaled` draws them with `initStd / sqrt(2 layers)` (GPT-2), `zero`
     * makes every block the identity at first, which keeps good token vectors good.
     */
    residualInit: z.enum(["scaled", "zero"]).default("scaled"),
    /**
     * How much of its surroundings a token sees at first. Above 0, in every block the value projection begins as the
     * identity and the output projection of attention as `contextInit` times it, both with the noise they have anyway:
     * attention, uniform at first, adds `contextInit` times the mean of a document's tokens to each of them. A masked
     * token so begins with its document's words, where GPT-2's initialisation (0) must find them first.
     */
    contextInit: z.number().min(0).default(0),
    /**
     * A fixed number for each head and distance that is added to attention's scores: `local` has, of every four heads,
     * one look at the token before, one at the token after, one at those around (falling with distance), and leaves one
     * free; content still decides where it speaks louder. `none`: all heads are free (paper).
     */
    headBias: z.enum(["none", "local"]).default("none"),
    /**
     * Sentence embedding: `mean` over real tokens (paper), `weighted` sum with a learned softplus weight per token id,
     * `attention` by a learned query.
     */
    pooling: z.enum(["mean", "weighted", "attention"]).default("mean"),
    /**
     * What is pooled: `final` states after `ln_f` (paper), or the `residual` stream before it, whose norms LayerNorm
     * would erase.
     */
    poolStates: z.enum(["final", "residual"]).default("final"),
    /**
     * What a token that occurs n times in a text weighs in a `mean` or `weighted` pooling: n^repetition. 1 counts every
     * occurrence (paper); 0.5 damps, as lexical ranking damps term frequencies; 0 counts each token once.
     */
    repetition: z.number().min(0).max(1).default(1),
    /**
     * In a `mean` or `weighted` pooling the token at position p counts 1 / (1 + p / positionDecay) times: names and
     * signatures come first. null: every position counts the same (paper).
     */
    positionDecay: z.number().positive().nullable().default(null),
    padId: z.int().min(0),
    eosId: z.int().min(0),
    maskId: z.int().min(0),
  })
  .superRefine((config, context) => {
    const complain = (path: string, message: string): void => {
      context.addIssue({ code: "custom", path: [path], message });
    };
    if (config.width % config.heads !== 0) {
      complain("heads", `expected a divisor of width ${config.width}, got ${config.heads}`);
    }
    for (const name of ["padId", "eosId", "maskId"] as const) {
      if (config[name] >= config.vocabSize) {
        complain(name, `expected an id below vocabSize ${config.vocabSize}, got ${config[name]}`);
      }
    }
    if (config.pooling === "attention" && !countsAll(config)) {
      complain("pooling", "expected mean or weighted, which repetition and positionDecay weigh, got attention");
    }
    if (config.padId === config.eosId)
      complain("padId", `expected an id other than eosId, got ${config.padId} for both`);
  });

/** A validated, frozen encoder configuration. */
export type ModelConfig = Readonly<z.output<typeof modelConfigSchema>>;

/** Whether every occurrence of a token counts the same in the pooling. */
export function countsAll(config: Pick<ModelConfig, "repetition" | "positionDecay">): boolean {
  return config.repetition === 1 && config.positionDecay === null;
}

/** What a caller writes: every key with a default may be left out. */
export type ModelConfigInput = z.input<typeof modelConfigSchema>;

/**
 * Validates and freezes a model configuration.
 *
 * @throws UserError `config.unknown-key`, `config.invalid`
 */
export function parseModelConfig(value: unknown, where = "model config"): ModelConfig {
  return parseConfig(modelConfigSchema, value, where);
}
