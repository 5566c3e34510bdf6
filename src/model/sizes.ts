import { parseModelConfig, type ModelConfig, type ModelConfigInput } from "./config.js";

/**
 * Special tokens of our own tokenizers. Pad is 0 and distinct from the end of sequence. The paper's vocabulary of 49,152
 * rows is StarCoder's, whose end of text is also 0; an importer overrides all three from the checkpoint's config.
 */
const SPECIAL = { padId: 0, eosId: 1, maskId: 2 } as const;

const PAPER = { vocabSize: 49_152, maxLength: 1024, ...SPECIAL } as const;
const OURS = { vocabSize: 16_384, maxLength: 1024, ...SPECIAL } as const;

/**
 * Sizes by name: `small`, `base`, `large` are the paper's, `nano`, `tiny`, `mini` our own. `bag` has no blocks: token
 * vectors summed with a learned weight for each token, a baseline that trains in minutes and embeds without an engine.
 */
export const SIZES = {
  small: parseModelConfig({ layers: 6, heads: 8, width: 1024, ...PAPER }),
  base: parseModelConfig({ layers: 24, heads: 8, width: 1024, ...PAPER }),
  large: parseModelConfig({ layers: 24, heads: 16, width: 2048, ...PAPER }),
  nano: parseModelConfig({ layers: 4, heads: 4, width: 128, ...OURS }),
  tiny: parseModelConfig({ layers: 6, heads: 4, width: 256, ...OURS }),
  mini: parseModelConfig({ layers: 6, heads: 6, width: 384, ...OURS }),
  bag: parseModelConfig({
    ...{ layers: 0, heads: 1, width: 256, ...OURS },
    ...{ positions: false, finalNorm: false, pooling: "weighted", poolStates: "residual" },
    ...{ initStd: 1 / 16, dropout: 0 },
  }),
} as const satisfies Record<string, ModelConfig>;

/** A size's name. */
export type SizeName = keyof typeof SIZES;

/**
 * A named size with some keys replaced.
 *
 * @example
 * sizeWith("tiny", { vocabSize: 8192, pooling: "weighted" })
 * @throws UserError `config.unknown-key`, `config.invalid`
 */
export function sizeWith(name: SizeName, overrides: Partial<ModelConfigInput> = {}): ModelConfig {
  return parseModelConfig({ ...SIZES[name], ...overrides }, `model config (${name})`);
}
