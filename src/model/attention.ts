import {
  abs,
  add,
  cast,
  concat,
  equal,
  iota,
  matmul,
  mul,
  reshape,
  softmax,
  split,
  sub,
  transpose,
  type Dim,
  type Graph,
  type Value,
} from "../graph/index.js";
import type { ModelConfig } from "./config.js";
import type { Dropouts } from "./dropout.js";
import { linear } from "./linear.js";
import type { Parameters } from "./parameter-values.js";

/**
 * Added to a forbidden score. Finite, so that a row that may attend to nothing stays finite (its softmax is that of the
 * unmasked scores), and large enough that e^-10000 is 0 beside any allowed score.
 */
const FORBIDDEN = 10_000;

/**
 * Bias for padding: `mask` [B, T], 1 for a real token and 0 for padding -> float32 [B, 1, 1, T]. Padding is attended to
 * by nobody; padded queries attend to the real tokens, and nobody reads them.
 */
export function paddingBias(mask: Value): Value {
  const [batch, length] = mask.shape as [Dim, Dim];
  return reshape(mul(sub(cast(mask, "float32"), 1), FORBIDDEN), [batch, 1, 1, length]);
}

/**
 * Bias for block attention: `segments` int32 [B, T], 0 for padding and 1, 2, ... for the documents packed into a row ->
 * float32 [B, 1, T, T]. A token attends to the tokens of its own document.
 */
export function segmentBias(segments: Value): Value {
  const [batch, length] = segments.shape as [Dim, Dim];
  // As a key, padding becomes -1, which equals no query's segment: one comparison of [T, T] instead of two.
  const keys = sub(segments, cast(equal(segments, 0), segments.dtype)); // [B, T]
  const same = equal(reshape(segments, [batch, 1, length, 1]), reshape(keys, [batch, 1, 1, length])); // [B, 1, T, T]
  return mul(sub(cast(same, "float32"), 1), FORBIDDEN);
}

/** What is added to the score of the one place that a head of `local` looks at: e^7 is some 1,100 unbiased places. */
const NEIGHBOUR = 7;
/** What is taken from the score of a place for each token between, where a head looks around; for its own place as well. */
const AROUND = { slope: 0.3, self: 2 } as const;

/**
 * Bias of `headBias: "local"`: float32 [1, heads, T, T], a function of the distance i - j alone. Head h looks at the token
 * before (h mod 4 = 0), after (1), around (2) or anywhere (3). Fixed numbers, as ALiBi's are (Press et al. 2022), so they
 * need no gradient and fit any length.
 */
export function localBias(graph: Graph, heads: number, length: Dim): Value {
  const places = iota(graph, length);
  const distance = sub(reshape(places, [length, 1]), reshape(places, [1, length])); // [T, T]
  const at = (where: number, value: number): Value => mul(cast(equal(distance, where), "float32"), value);
  const kinds = [
    () => at(1, NEIGHBOUR),
    () => at(-1, NEIGHBOUR),
    () => sub(at(0, -AROUND.self), mul(cast(abs(distance), "float32"), AROUND.slope)),
    () => mul(cast(distance, "float32"), 0),
  ].map((make) => reshape(make(), [1, 1, length, length]));
  return concat(
    Array.from({ length: heads }, (_, head) => kinds[head % kinds.length]!),
    1,
  );
}

/**
 * Multi-head self-attention, bidirectional: softmax(Q K' / sqrt(d) + bias) V, projected.
 *
 * @param x [B*T, H], already normalised
 * @param bias [B or 1, heads or 1, T or 1, T], or undefined to attend everywhere
 * @returns [B*T, H]
 */
export function attention(
  x: Value,
  bias: Value | undefined,
  parameters: Parameters,
  config: ModelConfig,
  layer: number,
  dropouts: Dropouts,
  [batch, length]: readonly [Dim, Dim],
): Value {
  const { heads, width } = config;
  const size = width / heads; // d
  const name = `h.${layer}.attn`;
  // Three products with slices of the small weight are cheaper than slicing one wide result.
  const weights = split(parameters.get(`${name}.c_attn.weight`), 1, [width, width, width]); // 3 x [H, H]
  const biases = split(parameters.get(`${name}.c_attn.bias`), 0, [width, width, width]); // 3 x [H]
  const [query, key, value] = weights.map((weight, part) => {
    const projected = add(matmul(x, weight), biases[part]!); // [B*T, H]
    return transpose(reshape(projected, [batch, length, heads, size]), [0, 2, 1, 3]);
  }) as [Value, Value, Value]; // [B, heads, T, d]
  const scores = matmul(query, key, { transposeB: true, alpha: 1 / Math.sqrt(size) }); // [B, heads, T, T]
  const probabilities = softmax(bias === undefined ? scores : add(scores, bias));
  const mixed = matmul(dropouts.apply(probabilities, { kind: "attention", layer }), value); // [B, heads, T, d]
  const joined = reshape(transpose(mixed, [0, 2, 1, 3]), [-1, width]); // [B*T, H]
  return linear(joined, parameters, `${name}.c_proj`);
}
