import {
  add,
  cast,
  div,
  exp,
  gather,
  gatherElements,
  greater,
  iota,
  log,
  matmul,
  maximum,
  mul,
  reciprocal,
  reduceSum,
  reshape,
  scatterAddElements,
  softmax,
  softplus,
  sqrt,
  square,
} from "../graph/index.js";
import type { Dim, Value } from "../graph/index.js";
import { paddingBias } from "./attention.js";
import type { ModelConfig } from "./config.js";
import type { EncodedStates } from "./encode.js";
import type { Parameters } from "./parameter-values.js";

/**
 * The sentence embedding, [B, H]: a weighted mean of the last layer's states over real tokens.
 *
 * - `mean` (paper): every real token weighs the same.
 * - `weighted`: token id t weighs softplus(`pool.token_weight.weight`[t]); weights per token id, learned with the rest.
 * - `attention`: softmax over tokens of state . `pool.query.weight` / sqrt(H).
 *
 * The first two are further weighed by `repetition` and `positionDecay`.
 *
 * @param mask [B, T], 1 for a real token, 0 for padding; a row of padding gives zeros (`attention`: the plain mean)
 */
export function pool(
  parameters: Parameters,
  config: ModelConfig,
  states: EncodedStates,
  inputIds: Value,
  mask: Value,
): Value {
  const x = config.poolStates === "final" ? states.final : states.residual; // [B, T, H]
  const [batch, length] = mask.shape as [Dim, Dim];
  const weights = x.graph.scope("pool", () => tokenWeights(parameters, config, x, inputIds, mask)); // [B, T]
  return reshape(matmul(reshape(weights, [batch, 1, length]), x), [batch, config.width]);
}

/** Float32 [B, T]; the real tokens' weights add up to 1 in every row. */
function tokenWeights(parameters: Parameters, config: ModelConfig, x: Value, inputIds: Value, mask: Value): Value {
  const [batch, length] = mask.shape as [Dim, Dim];
  const real = config.pooling === "attention" ? mask : occurrenceWeights(config, inputIds, mask);
  switch (config.pooling) {
    case "mean":
      return sharesOf(real);
    case "weighted": {
      const table = reshape(parameters.get("pool.token_weight.weight"), [config.vocabSize]);
      return sharesOf(mul(softplus(gather(table, inputIds)), real));
    }
    case "attention": {
      const query = reshape(parameters.get("pool.query.weight"), [config.width, 1]);
      const scores = reshape(matmul(x, query, { alpha: 1 / Math.sqrt(config.width) }), [batch, length]);
      return softmax(add(scores, reshape(paddingBias(mask), [batch, length])));
    }
  }
}

/** Float32 [B, T]: what each occurrence counts by `positionDecay` and `repetition`; 0 for padding. */
function occurrenceWeights(config: ModelConfig, inputIds: Value, mask: Value): Value {
  const real = decayed(config, mask);
  if (config.repetition === 1) return real;
  const counts = scatterAddElements(inputIds, real, 1, config.vocabSize); // [B, V]
  const own = maximum(gatherElements(counts, inputIds, 1), TINY); // [B, T]
  return mul(real, div(power(own, config.repetition), own)); // n occurrences of n^(p-1) each
}

/** Float32 [B, T]: 1 / (1 + position / positionDecay), or 1; 0 for padding. */
function decayed({ positionDecay }: ModelConfig, mask: Value): Value {
  const real = cast(mask, "float32");
  if (positionDecay === null) return real;
  const position = cast(iota(mask.graph, mask.shape[1]!), "float32"); // [T]
  return mul(real, reshape(reciprocal(add(div(position, positionDecay), 1)), [1, mask.shape[1]!]));
}

/** x^p for x >= 0; 0 stays 0. */
function power(x: Value, p: number): Value {
  if (p === 1) return x;
  if (p === 0.5) return sqrt(x);
  const some = cast(greater(x, 0), "float32");
  return p === 0 ? some : mul(exp(mul(log(maximum(x, TINY)), p)), some);
}

/** Below every count that is not 0. */
const TINY = 1e-12;

/** Non-negative weights [B, T] divided by their row's sum; a row of zeros stays zeros. */
function sharesOf(weights: Value): Value {
  return div(weights, maximum(reduceSum(weights, [1], { keepDims: true }), 1e-12));
}

/** Whether {@link poolBag} computes this model's sentence embedding: token vectors alone, pooled with weights by id. */
export function isPlainBag(config: ModelConfig): boolean {
  const norm = config.finalNorm && config.poolStates === "final";
  return config.layers === 0 && !config.positions && !norm && config.pooling !== "attention";
}

/**
 * {@link pool} of a static bag as one product: how much each token counts in a row [B, V] times the weighted token
 * vectors [V, H]. The states [B, T, H] never exist, and the gradient of the table is a product as well, where gathering
 * would end in a slow scatter. Pays off for large batches; few texts are cheaper by `encode` and `pool`.
 *
 * @param inputIds int32 or int64 [B, T]
 * @param mask [B, T], 1 for a real token, 0 for padding
 * @returns [B, H]
 */
export function poolBag(parameters: Parameters, config: ModelConfig, inputIds: Value, mask: Value): Value {
  const occurrences = scatterAddElements(inputIds, decayed(config, mask), 1, config.vocabSize); // [B, V]
  const counts = power(occurrences, config.repetition);
  const table = parameters.get("wte.weight");
  if (config.pooling === "mean") return matmul(sharesOf(counts), table);
  const weights = softplus(parameters.get("pool.token_weight.weight")); // [V, 1]
  const total = matmul(counts, weights); // [B, 1]
  return div(matmul(counts, mul(table, weights)), maximum(total, 1e-12));
}

/** x / |x| over the last axis; zeros stay zeros. */
export function normalise(x: Value): Value {
  return div(x, sqrt(maximum(reduceSum(square(x), [-1], { keepDims: true }), 1e-24)));
}
