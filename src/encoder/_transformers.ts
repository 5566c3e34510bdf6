import { elementCount, internalError, tensor, type Tensor } from "../base/index.js";
import type { ModelConfig } from "../model/index.js";

/**
 * The same weights under the names and in the layout of transformers' `xlm-roberta-xl`, a pre-LayerNorm encoder that
 * computes exactly what ours does: separate query, key and value, projections as `[out, in]`, and a position table that
 * starts at pad id + 1. So a model folder opens in transformers and sentence-transformers without code of ours.
 */
export type Weights = Readonly<Record<string, Tensor>>;

const PROJECTIONS = [
  ["attn.c_proj", "attention.output.dense"],
  ["mlp.c_fc", "intermediate.dense"],
  ["mlp.c_proj", "output.dense"],
] as const;
const NORMS = [
  ["ln_1", "attention.self_attn_layer_norm"],
  ["ln_2", "LayerNorm"],
] as const;
const PARTS = ["query", "key", "value"] as const;

/** Whether that architecture has all that the config asks for. */
export function fitsTransformers(config: ModelConfig): boolean {
  return config.layers > 0 && config.positions && config.finalNorm && config.headBias === "none";
}

/** Keys of `config.json` for transformers. */
export function transformersConfig(config: ModelConfig): Record<string, unknown> {
  return {
    model_type: "xlm-roberta-xl",
    architectures: ["XLMRobertaXLModel"],
    max_position_embeddings: config.maxLength + config.padId + 1,
    type_vocab_size: 1,
    hidden_dropout_prob: config.dropout,
    attention_probs_dropout_prob: config.dropout,
    is_decoder: false,
    bos_token_id: null,
  };
}

/** From GPT-2's names to transformers'. Pooling weights keep their names: transformers passes over them. */
export function toTransformers(config: ModelConfig, weights: Weights): Record<string, Tensor> {
  const { width } = config;
  const out: Record<string, Tensor> = {
    "embeddings.word_embeddings.weight": get(weights, "wte.weight"),
    "embeddings.position_embeddings.weight": shiftDown(get(weights, "wpe.weight"), config.padId + 1),
    "embeddings.token_type_embeddings.weight": zeroes(1, width),
  };
  for (let layer = 0; layer < config.layers; layer++) {
    const [ours, theirs] = [`h.${layer}`, `encoder.layer.${layer}`];
    for (const kind of ["weight", "bias"]) {
      for (const [a, b] of NORMS) out[`${theirs}.${b}.${kind}`] = get(weights, `${ours}.${a}.${kind}`);
      const fused = transpose(get(weights, `${ours}.attn.c_attn.${kind}`)); // [3H, H] or [3H]
      PARTS.forEach(
        (part, i) => (out[`${theirs}.attention.self.${part}.${kind}`] = rows(fused, i * width, (i + 1) * width)),
      );
      for (const [a, b] of PROJECTIONS) out[`${theirs}.${b}.${kind}`] = transpose(get(weights, `${ours}.${a}.${kind}`));
    }
  }
  for (const kind of ["weight", "bias"]) out[`encoder.LayerNorm.${kind}`] = get(weights, `ln_f.${kind}`);
  // The family's pooler is not used; without its weights transformers warns of random ones.
  out["pooler.dense.weight"] = zeroes(width, width);
  out["pooler.dense.bias"] = tensor("float32", [width], new Float32Array(width));
  for (const name of Object.keys(weights)) if (name.startsWith("pool.")) out[name] = get(weights, name);
  return out;
}

/** The inverse of {@link toTransformers}. */
export function fromTransformers(config: ModelConfig, stored: Weights): Record<string, Tensor> {
  const positions = get(stored, "embeddings.position_embeddings.weight");
  const out: Record<string, Tensor> = {
    "wte.weight": get(stored, "embeddings.word_embeddings.weight"),
    "wpe.weight": rows(positions, config.padId + 1, config.padId + 1 + config.maxLength),
  };
  for (let layer = 0; layer < config.layers; layer++) {
    const [ours, theirs] = [`h.${layer}`, `encoder.layer.${layer}`];
    for (const kind of ["weight", "bias"]) {
      for (const [a, b] of NORMS) out[`${ours}.${a}.${kind}`] = get(stored, `${theirs}.${b}.${kind}`);
      const parts = PARTS.map((part) => get(stored, `${theirs}.attention.self.${part}.${kind}`));
      out[`${ours}.attn.c_attn.${kind}`] = transpose(stack(parts));
      for (const [a, b] of PROJECTIONS) out[`${ours}.${a}.${kind}`] = transpose(get(stored, `${theirs}.${b}.${kind}`));
    }
  }
  for (const kind of ["weight", "bias"]) out[`ln_f.${kind}`] = get(stored, `encoder.LayerNorm.${kind}`);
  for (const name of Object.keys(stored)) if (name.startsWith("pool.")) out[name] = get(stored, name);
  return out;
}

function get(weights: Weights, name: string): Tensor<"float32"> {
  const value = weights[name];
  if (value === undefined || value.dtype !== "float32") throw internalError(`expected float32 weights "${name}"`);
  return value as Tensor<"float32">;
}

function zeroes(height: number, width: number): Tensor<"float32"> {
  return tensor("float32", [height, width], new Float32Array(height * width));
}

/** [A, B] -> [B, A]; a vector stays as it is. */
function transpose(value: Tensor<"float32">): Tensor<"float32"> {
  if (value.dims.length < 2) return value;
  const [height, width] = value.dims as [number, number];
  const data = new Float32Array(height * width);
  for (let i = 0; i < height; i++) for (let j = 0; j < width; j++) data[j * height + i] = value.data[i * width + j]!;
  return tensor("float32", [width, height], data);
}

/** Rows `from` to `to` of the first axis, as a view. */
function rows(value: Tensor<"float32">, from: number, to: number): Tensor<"float32"> {
  const rest = value.dims.slice(1);
  const size = elementCount(rest);
  return tensor("float32", [to - from, ...rest], value.data.subarray(from * size, to * size));
}

/** Joined along the first axis. */
function stack(values: readonly Tensor<"float32">[]): Tensor<"float32"> {
  const height = values.reduce((sum, value) => sum + value.dims[0]!, 0);
  const rest = values[0]!.dims.slice(1);
  const data = new Float32Array(height * elementCount(rest));
  let at = 0;
  for (const value of values) {
    data.set(value.data, at);
    at += value.data.length;
  }
  return tensor("float32", [height, ...rest], data);
}

/** `count` rows of zeros before the others. */
function shiftDown(value: Tensor<"float32">, count: number): Tensor<"float32"> {
  return stack([zeroes(count, value.dims[1]!), value]);
}
