import { elementCount } from "../base/index.js";
import type { ModelConfig } from "./config.js";

/** Parameter shapes by name, in the order in which they are stored. */
export type ParameterShapes = Readonly<Record<string, readonly number[]>>;

/**
 * Every parameter's shape under GPT-2's names. Projections are `[in, out]` (GPT-2's Conv1D). `H` is the width:
 *
 *     wte.weight [V, H]               wpe.weight [maxLength, H]
 *     h.I.ln_1.{weight,bias} [H]      h.I.attn.c_attn.{weight [H, 3H], bias [3H]}   columns: query, key, value
 *     h.I.attn.c_proj.{weight [H, H], bias [H]}
 *     h.I.ln_2.{weight,bias} [H]      h.I.mlp.c_fc.{weight [H, 4H], bias [4H]}
 *     h.I.mlp.c_proj.{weight [4H, H], bias [H]}
 *     ln_f.{weight,bias} [H]
 *     pool.token_weight.weight [V, 1] (`weighted`), pool.query.weight [H] (`attention`)
 *
 * Pure shapes: nothing is allocated, so the paper's 1.3 billion parameters can be counted anywhere.
 */
export function parameterShapes(config: ModelConfig): ParameterShapes {
  const { layers, width, vocabSize, maxLength } = config;
  const shapes: Record<string, readonly number[]> = { "wte.weight": [vocabSize, width] };
  const norm = (name: string): void => {
    shapes[`${name}.weight`] = [width];
    shapes[`${name}.bias`] = [width];
  };
  const linear = (name: string, inputs: number, outputs: number): void => {
    shapes[`${name}.weight`] = [inputs, outputs];
    shapes[`${name}.bias`] = [outputs];
  };
  if (config.positions) shapes["wpe.weight"] = [maxLength, width];
  for (let layer = 0; layer < layers; layer++) {
    const block = `h.${layer}`;
    norm(`${block}.ln_1`);
    linear(`${block}.attn.c_attn`, width, 3 * width);
    linear(`${block}.attn.c_proj`, width, width);
    norm(`${block}.ln_2`);
    linear(`${block}.mlp.c_fc`, width, 4 * width);
    linear(`${block}.mlp.c_proj`, 4 * width, width);
  }
  if (config.finalNorm) norm("ln_f");
  if (config.pooling === "weighted") shapes["pool.token_weight.weight"] = [vocabSize, 1];
  if (config.pooling === "attention") shapes["pool.query.weight"] = [width];
  return shapes;
}

/** The exact number of parameters, from shapes alone. The tied MLM head adds none. */
export function parameterCount(config: ModelConfig): number {
  return Object.values(parameterShapes(config)).reduce((total, shape) => total + elementCount(shape), 0);
}

/** Whether a parameter is a token or position embedding table (or a weight per token), for its own learning rate. */
export function isEmbedding(name: string): boolean {
  return name === "wte.weight" || name === "wpe.weight" || name === "pool.token_weight.weight";
}

/**
 * Whether decoupled weight decay applies: to matrices, not to LayerNorm, biases or anything else of one dimension, nor
 * to the pooling's weights per token, where a pull towards 0 is a pull towards softplus(0).
 */
export function isDecayed(name: string, shape: readonly number[]): boolean {
  return shape.length > 1 && !name.startsWith("pool.");
}
