import { UserError } from "../../base/index.js";
import {
  add,
  cast,
  concat,
  equal,
  greater,
  iota,
  log,
  logSumExp,
  matmul,
  maximum,
  mul,
  reduceMax,
  reduceMean,
  reduceSum,
  reshape,
  softplus,
  stopGradient,
  sub,
  transpose,
  type Dim,
  type Value,
} from "../../graph/index.js";

/** @see contrastiveLoss */
export interface ContrastiveOptions {
  /** tau; 0.05 in the paper. */
  readonly temperature: number;
  /** Weights of negatives: all 1 (`none`), or by hardness g (`hard`). */
  readonly weighting: "none" | "hard";
  /** With `hard`: weights sum to 1 as the paper prints them, or to the 2N-2 negatives (`scaled`). */
  readonly normalisation: "paper" | "scaled";
  /** With `hard`: whether g is a constant to the gradient. */
  readonly detach: boolean;
}

/** The paper's temperature and its weights as printed. */
export const PAPER_CONTRASTIVE: ContrastiveOptions = {
  temperature: 0.05,
  weighting: "hard",
  normalisation: "paper",
  detach: false,
};

/** Scalars, float32. */
export interface ContrastiveLoss {
  readonly loss: Value;
  readonly metrics: {
    /** Share of the 2N anchors whose positive is more similar than every negative. */
    readonly accuracy: Value;
    /** Mean cosine of the pairs. */
    readonly positive_similarity: Value;
    /** Mean over anchors of the most similar negative's cosine. */
    readonly hardest_negative_similarity: Value;
  };
}

/** Taken off an anchor's similarity (over tau) to itself and to its positive, to leave the negatives. */
const EXCLUDED = 1e9;

/**
 * Bimodal contrastive loss with hard-negative weights (Zhang et al. 2024, section 3.2). The 2N unit
 * vectors are anchors; the negatives of anchor i are the 2N-2 others of both modalities. With s_k = h_i.h_k / tau and
 * the positive p = h_i.h_{i+} / tau (the same for both members of a pair):
 *
 *     one direction:  l_i = -log(e^p / (e^p + sum_k g_k e^{s_k})) = softplus(q_i - p),   q_i = log sum_k g_k e^{s_k}
 *     L(i, i+)  = l_i + l_{i+};   loss = mean over the 2N anchors of L = 1/N * sum over the 2N anchors of l
 *     g_k = softmax(s)_k, so   q_i = LSE_k(s_k + (s_k - LSE(s)))
 *     'scaled' adds log(2N-2) to q_i;   'none' has q_i = LSE(s)
 *
 * Everything stays in logarithms, so nothing overflows, and equal vectors give a finite loss and gradient.
 *
 * @param text float32 [N, H], unit vectors; row i belongs to row i of `code`; N at least 2
 * @param code float32 [N, H], unit vectors
 * @throws UserError `graph.shape`
 */
export function contrastiveLoss(text: Value, code: Value, options: ContrastiveOptions): ContrastiveLoss {
  const [count, width] = text.shape;
  if (text.shape.length !== 2 || count !== code.shape[0] || width !== code.shape[1] || count === undefined) {
    throw new UserError(
      "graph.shape",
      `contrastiveLoss: expected text and code [N, H] of equal shape, got [${text.shape.join(", ")}] and ` +
        `[${code.shape.join(", ")}]`,
    );
  }
  const alpha = 1 / options.temperature;
  const similarity = (a: Value, b: Value): Value => matmul(a, b, { transposeB: true, alpha }); // [N, N], over tau
  const same = diagonal(text, count); // float32 [N, N]
  const off = (block: Value): Value => sub(block, mul(same, EXCLUDED));

  const cross = similarity(text, code); // text x code
  const positive = reduceSum(mul(cross, same), [1]); // [N]
  const negativesOf = (own: Value, other: Value): Value => concat([off(own), off(other)], 1); // [N, 2N]
  const anchors = [
    negativesOf(similarity(text, text), cross),
    negativesOf(similarity(code, code), transpose(cross, [1, 0])),
  ];
  const losses = anchors.map((negatives) => softplus(sub(logNegatives(negatives, same, options), positive))); // [N]
  const loss = reduceMean(add(losses[0]!, losses[1]!)); // (1/N) sum over pairs of (l_i + l_{i+})

  const hardest = anchors.map((negatives) => reduceMax(negatives, [1])); // [N]
  const right = hardest.map((value) => reduceMean(cast(greater(positive, value), "float32")));
  const half = (pair: readonly Value[], scale: number): Value => mul(add(pair[0]!, pair[1]!), scale / 2);
  return {
    loss,
    metrics: {
      accuracy: half(right, 1),
      positive_similarity: mul(reduceMean(positive), options.temperature),
      hardest_negative_similarity: half(
        hardest.map((value) => reduceMean(value)),
        options.temperature,
      ),
    },
  };
}

/** q: log of the weighted sum over the negatives; s [N, 2N] -> [N]. */
function logNegatives(s: Value, same: Value, options: ContrastiveOptions): Value {
  const total = logSumExp(s); // [N]
  if (options.weighting === "none") return total;
  const logWeights = sub(s, reshape(total, [s.shape[0]!, 1])); // log g, [N, 2N]
  const weighted = logSumExp(add(s, options.detach ? stopGradient(logWeights) : logWeights));
  return options.normalisation === "paper" ? weighted : add(weighted, logNegativeCount(same));
}

/** log(2N - 2), N being the trace of the identity. */
function logNegativeCount(same: Value): Value {
  return log(maximum(sub(mul(reduceSum(same), 2), 2), 1));
}

/** The identity matrix, float32 [N, N]. */
function diagonal(of: Value, count: Dim): Value {
  const numbers = iota(of.graph, count);
  return cast(equal(reshape(numbers, [count, 1]), reshape(numbers, [1, count])), "float32");
}
