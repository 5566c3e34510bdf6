import { UserError } from "../base/index.js";
import { add, gather, gelu, iota, reshape, type Dim, type Shape, type Value } from "../graph/index.js";
import { attention, localBias, paddingBias, segmentBias } from "./attention.js";
import type { ModelConfig } from "./config.js";
import { Dropouts, type DropoutInputs } from "./dropout.js";
import { linear, norm } from "./linear.js";
import type { Parameters } from "./parameter-values.js";

/** A batch of token sequences. Integers are int32 or int64. */
export interface EncoderInputs {
  /** [B, T] */
  readonly inputIds: Value;
  /** [B, T], each below `maxLength`. Default 0 .. T-1 in every row; packed documents begin again at 0. */
  readonly positions?: Value;
  /** [B, T]: 1 for a real token, 0 for padding. */
  readonly attentionMask?: Value;
  /** [B, T]: 0 for padding, 1, 2, ... for the documents packed into a row, which do not see each other. */
  readonly segments?: Value;
}

export interface EncodeOptions {
  /** Leave out for inference and evaluation. */
  readonly dropout?: DropoutInputs;
  /**
   * int32 [M], flat into B*T: only these tokens leave the encoder. Attention needs all tokens, but the last block's MLP
   * and the last LayerNorm are then computed for these alone.
   */
  readonly select?: Value;
}

/** Last layer's states: [B, T, H], or [M, H] with `select`. */
export interface EncodedStates {
  /** After `ln_f` (or the residual stream itself where `finalNorm` is false). */
  readonly final: Value;
  /** The residual stream before `ln_f`. */
  readonly residual: Value;
}

/**
 * The encoder's forward pass: the paper's, a pre-LayerNorm Transformer with GPT-2's parameters, bidirectional.
 *
 *     x = dropout(wte[ids] + wpe[positions])
 *     per block:  x = x + dropout(c_proj(attention(ln_1(x))));  x = x + dropout(c_proj(gelu(c_fc(ln_2(x)))))
 *     final = ln_f(x)
 *
 * @throws UserError `graph.shape` for shapes that do not fit
 */
export function encode(
  parameters: Parameters,
  config: ModelConfig,
  inputs: EncoderInputs,
  options: EncodeOptions = {},
): EncodedStates {
  const { graph } = inputs.inputIds;
  const [batch, length] = batchShape(inputs);
  const dropouts = new Dropouts(config, options.dropout);
  const bias = config.layers === 0 ? undefined : graph.scope("mask", () => attentionBias(config, inputs));

  const embedded = graph.scope("embed", () => embed(parameters, config, inputs)); // [B, T, H]
  let x = reshape(dropouts.apply(embedded, { kind: "embedding" }), [-1, config.width]); // [B*T, H]
  let selected = options.select === undefined;
  const rows: Shape = [batch, length, config.width];
  const select = (value: Value): Value => {
    if (options.select === undefined || selected) return value;
    selected = true;
    return gather(value, options.select); // [M, H]
  };

  for (let layer = 0; layer < config.layers; layer++) {
    x = graph.scope(`h.${layer}`, () => {
      const mixed = graph.scope("attn", () => {
        const normed = norm(x, parameters, `h.${layer}.ln_1`, config);
        return attention(normed, bias, parameters, config, layer, dropouts, [batch, length]);
      });
      const sum = add(x, dropouts.apply(mixed, { kind: "attention-residual", layer }, rows)); // [B*T, H]
      const chosen = layer === config.layers - 1 ? select(sum) : sum;
      const branch = graph.scope("mlp", () => mlp(chosen, parameters, config, layer));
      const site = { kind: "mlp-residual", layer } as const;
      if (chosen === sum) return add(sum, dropouts.apply(branch, site, rows));
      return add(chosen, dropouts.applyToTokens(branch, site, options.select!, [batch, length])); // [M, H]
    });
  }
  x = select(x);
  const final = config.finalNorm ? graph.scope("ln_f", () => norm(x, parameters, "ln_f", config)) : x;
  if (options.select !== undefined) return { final, residual: x };
  return { final: reshape(final, rows), residual: reshape(x, rows) };
}

function batchShape({ inputIds, ...rest }: EncoderInputs): readonly [Dim, Dim] {
  const [batch, length] = inputIds.shape;
  if (batch === undefined || length === undefined || inputIds.shape.length !== 2) {
    throw new UserError("graph.shape", `encode: expected inputIds [B, T], got [${inputIds.shape.join(", ")}]`);
  }
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined || (value.shape.length === 2 && value.shape[0] === batch && value.shape[1] === length))
      continue;
    throw new UserError(
      "graph.shape",
      `encode: expected ${name} [${batch}, ${length}] as inputIds, got [${value.shape.join(", ")}]`,
    );
  }
  return [batch, length];
}

/** wte[ids] + wpe[positions]: [B, T, H]. */
function embed(parameters: Parameters, config: ModelConfig, { inputIds, positions }: EncoderInputs): Value {
  const tokens = gather(parameters.get("wte.weight"), inputIds); // [B, T, H]
  if (!config.positions) return tokens;
  // Default positions are one row [T, H] for the whole batch.
  const places = positions ?? iota(inputIds.graph, inputIds.shape[1]!);
  return add(tokens, gather(parameters.get("wpe.weight"), places));
}

/** Built once and shared by all layers. */
function attentionBias(
  { heads, headBias }: ModelConfig,
  { inputIds, attentionMask, segments }: EncoderInputs,
): Value | undefined {
  const mask =
    segments !== undefined
      ? segmentBias(segments)
      : attentionMask === undefined
        ? undefined
        : paddingBias(attentionMask);
  if (headBias === "none") return mask;
  const local = localBias(inputIds.graph, heads, inputIds.shape[1]!);
  return mask === undefined ? local : add(mask, local);
}

/** c_proj(gelu(c_fc(ln_2(x)))): [R, H] -> [R, H]. */
function mlp(x: Value, parameters: Parameters, config: ModelConfig, layer: number): Value {
  const normed = norm(x, parameters, `h.${layer}.ln_2`, config);
  const wide = gelu(linear(normed, parameters, `h.${layer}.mlp.c_fc`), config.gelu); // [R, 4H]
  return linear(wide, parameters, `h.${layer}.mlp.c_proj`);
}
