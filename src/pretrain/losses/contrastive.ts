import { UserError } from "../../base/index.js";
import {
  add,
  cast,
  concat,
  dimension,
  div,
  equal,
  gather,
  gatherElements,
  greater,
  iota,
  log,
  logicalOr,
  logSumExp,
  matmul,
  maximum,
  mul,
  reduceMax,
  reduceSum,
  reshape,
  slice,
  softplus,
  stopGradient,
  sub,
  where,
  type Dim,
  type Graph,
  type Value,
} from "../../graph/index.js";
import { normalise } from "../../model/index.js";
import { temperatureOf, type LearnedTemperature } from "./temperature.js";

/** Prefixes of the vector that are trained as vectors of their own (Kusupati et al. 2022). */
export interface Matryoshka {
  /** Widths, descending; each at most that of the vector. */
  readonly dims: readonly number[];
  /** What each width's loss is multiplied by; 1 if not given. */
  readonly weights?: readonly number[] | undefined;
}

/** @see contrastiveLoss */
export interface ContrastiveOptions {
  /** tau; 0.05 in the paper. A learned one is handed to the loss as its logarithm. */
  readonly temperature: number | LearnedTemperature;
  /** Weights of negatives: all 1 (`none`), or by hardness g (`hard`). */
  readonly weighting: "none" | "hard";
  /** With `hard`: weights sum to 1 as the paper prints them, or to the number of negatives (`scaled`). */
  readonly normalisation: "paper" | "scaled";
  /** With `hard`: whether g is a constant to the gradient. */
  readonly detach: boolean;
  /** Whether pairs with an equal first or second side are negatives of each other (`keep`, if not given) or not. */
  readonly duplicates?: "keep" | "mask" | undefined;
  /** Losses of prefixes, added up; the whole vector alone if not given. */
  readonly matryoshka?: Matryoshka | undefined;
}

/** The paper's temperature and its weights as printed. */
export const PAPER_CONTRASTIVE: ContrastiveOptions = {
  temperature: 0.05,
  weighting: "hard",
  normalisation: "paper",
  detach: false,
};

/** What a loss may be given beside the vectors. */
export interface ContrastiveInputs {
  /**
   * Only these of the 2N anchors, int32 [B], first sides counted before second sides: loss and metrics are their part of
   * the whole batch's, so that the parts of all anchors add up to it.
   */
  readonly anchors?: Value | undefined;
  /** For `mask`, two values int32 [N]: equal numbers mark equal first, and equal second, sides. */
  readonly groups?: readonly [first: Value, second: Value] | undefined;
  /** For a learned temperature: its logarithm, float32 [1]. */
  readonly logTemperature?: Value | undefined;
}

/** Scalars, float32; all are sums over anchors of what each adds. */
export interface ContrastiveLoss {
  readonly loss: Value;
  /**
   * - `accuracy`: share of the 2N anchors whose positive is more similar than every negative;
   * - `positive_similarity`: mean cosine of the pairs;
   * - `hardest_negative_similarity`: mean over anchors of the most similar negative's cosine;
   * - with `mask`, `masked_negatives`: vectors beyond its own pair that an anchor does not count as negatives, on average,
   *   and `anchors_without_negatives`: how many have none left. Those have loss 0, count as right, and add 0 to the
   *   hardest negatives' mean;
   * - with `matryoshka`, `loss_D` and `accuracy_D` of each width; all others are of the first width.
   */
  readonly metrics: Readonly<Record<string, Value>>;
}

/** Taken off an anchor's similarity (over tau) to itself and to its positive, to leave the negatives. */
const EXCLUDED = 1e9;

/**
 * Contrastive loss with hard-negative weights (Zhang et al. 2024, section 3.2). The 2N unit vectors of both sides are
 * anchors; the negatives of anchor i are the 2N-2 others. With s_k = h_i.h_k / tau and the positive p = h_i.h_{i+} / tau
 * (the same for both members of a pair):
 *
 *     one direction:  l_i = -log(e^p / (e^p + sum_k g_k e^{s_k})) = softplus(q_i - p),   q_i = log sum_k g_k e^{s_k}
 *     L(i, i+)  = l_i + l_{i+};   loss = mean over the 2N anchors of L = 1/N * sum over the 2N anchors of l
 *     g_k = softmax(s)_k, so   q_i = LSE_k(s_k + (s_k - LSE(s)))
 *     'scaled' adds log(number of negatives) to q_i;   'none' has q_i = LSE(s)
 *
 * Everything stays in logarithms, so nothing overflows, and equal vectors give a finite loss and gradient. An anchor's
 * part needs its own row of similarities alone: {@link ContrastiveInputs.anchors} computes some rows at a time, so that no
 * matrix of 2N x 2N has to exist.
 *
 * @param first float32 [N, H], unit vectors; row i belongs to row i of `second`; N at least 2
 * @param second float32 [N, H], unit vectors
 * @throws UserError `graph.shape`, `config.invalid` where a prefix is wider than the vectors
 */
export function contrastiveLoss(
  first: Value,
  second: Value,
  options: ContrastiveOptions,
  inputs: ContrastiveInputs = {},
): ContrastiveLoss {
  const [count, width] = first.shape;
  if (first.shape.length !== 2 || second.shape.join() !== first.shape.join() || count === undefined) {
    throw new UserError(
      "graph.shape",
      `contrastiveLoss: expected text and code [N, H] of equal shape, got [${first.shape.join(", ")}] and ` +
        `[${second.shape.join(", ")}]`,
    );
  }
  const { dims = [width!], weights = dims.map(() => 1) } = options.matryoshka ?? {};
  requirePrefixes(dims, width!);
  const rows = anchorRows(first.graph, count, options, inputs);
  const losses = dims.map((dim) => prefixLoss(prefix(first, dim), prefix(second, dim), options, inputs, rows));
  const weighted = losses.map(({ loss }, index) => (weights[index] === 1 ? loss : mul(loss, weights[index]!)));
  const metrics = { ...losses[0]!.metrics };
  if (options.matryoshka !== undefined) {
    dims.forEach((dim, index) => {
      metrics[`loss_${dim}`] = losses[index]!.loss;
      metrics[`accuracy_${dim}`] = losses[index]!.metrics["accuracy"]!;
    });
  }
  return { loss: weighted.reduce((sum, loss) => add(sum, loss)), metrics };
}

/** @throws UserError `config.invalid` */
function requirePrefixes(dims: readonly Dim[], width: Dim): void {
  const wider = dims.find((dim) => typeof width === "number" && Number(dim) > width);
  if (wider === undefined) return;
  throw new UserError("config.invalid", `loss.matryoshka.dims: expected widths up to ${width}, got ${wider}`, {
    fix: "Leave it out, or take a wider model",
  });
}

/** The first numbers of each vector, as a unit vector. */
function prefix(x: Value, dim: Dim): Value {
  return dim === x.shape[1] ? x : normalise(slice(x, 1, 0, dim));
}

/** What the rows of similarities of some anchors have in common, whatever the prefix. */
interface AnchorRows {
  /** int32 [B], among 2N. */
  readonly index: Value;
  /** int32 [B, 1]: where the positive is. */
  readonly partner: Value;
  /** float32 [B, 2N]: 1 for what is no negative of the anchor. */
  readonly excluded: Value;
  /** float32 [B]: negatives of each. */
  readonly negatives: Value;
  /** N as a float32 scalar. */
  readonly pairs: Value;
}

function anchorRows(
  graph: Graph,
  count: Dim,
  { duplicates }: ContrastiveOptions,
  { anchors, groups }: ContrastiveInputs,
): AnchorRows {
  const pair = iota(graph, count);
  const pairs = typeof count === "number" ? graph.constant(count, "int32") : dimension(graph, count);
  const twice = (of: Value): Value => concat([of, of], 0); // [2N]
  const pairOf = twice(pair);
  const partnerOf = concat([add(pair, pairs), pair], 0);
  const all = pairOf.shape[0]!;
  const index = anchors ?? iota(graph, all);
  const size = index.shape[0]!;
  const same = (numbers: Value): Value =>
    equal(reshape(anchors === undefined ? numbers : gather(numbers, index), [size, 1]), reshape(numbers, [1, all]));
  if (duplicates === "mask" && groups === undefined)
    throw new RangeError("contrastiveLoss: expected groups to mask by");
  const together = duplicates === "mask" ? logicalOr(same(twice(groups![0])), same(twice(groups![1]))) : same(pairOf);
  const excluded = cast(together, "float32"); // [B, 2N]
  const float = cast(pairs, "float32");
  return {
    index,
    partner: reshape(anchors === undefined ? partnerOf : gather(partnerOf, index), [size, 1]),
    excluded,
    negatives: sub(mul(float, 2), reduceSum(excluded, [1])),
    pairs: float,
  };
}

function prefixLoss(
  first: Value,
  second: Value,
  options: ContrastiveOptions,
  { anchors, logTemperature }: ContrastiveInputs,
  rows: AnchorRows,
): ContrastiveLoss {
  const { temperature } = options;
  const all = concat([first, second], 0); // [2N, H]
  const own = anchors === undefined ? all : gather(all, anchors); // [B, H]
  const learned = typeof temperature !== "number";
  if (learned && logTemperature === undefined) throw new RangeError("contrastiveLoss: expected a learned temperature");
  // A learned 1/tau goes into the few anchors, not into their many similarities.
  const scaled = learned ? mul(own, div(1, temperatureOf(logTemperature!))) : own;
  const s = matmul(scaled, all, { transposeB: true, alpha: learned ? 1 : 1 / temperature }); // [B, 2N]
  const positive = reshape(gatherElements(s, rows.partner, 1), [s.shape[0]!]);
  const others = sub(s, mul(rows.excluded, EXCLUDED));
  const losses = softplus(sub(logNegatives(others, rows, options), positive)); // [B]

  const hardest = reduceMax(others, [1]);
  const masks = options.duplicates === "mask";
  const tau = learned ? temperatureOf(logTemperature!) : temperature;
  const anchorMean = (values: Value): Value => div(reduceSum(values), mul(rows.pairs, 2));
  const left = greater(rows.negatives, 0.5);
  const metrics: Record<string, Value> = {
    accuracy: anchorMean(cast(greater(positive, hardest), "float32")),
    positive_similarity: mul(anchorMean(positive), tau),
    hardest_negative_similarity: mul(anchorMean(masks ? where(left, hardest, 0) : hardest), tau),
  };
  if (masks) {
    const beyond = sub(sub(mul(rows.pairs, 2), rows.negatives), 2);
    metrics["masked_negatives"] = anchorMean(beyond);
    metrics["anchors_without_negatives"] = reduceSum(sub(1, cast(left, "float32")));
  }
  return { loss: div(reduceSum(losses), rows.pairs), metrics };
}

/** q: log of the weighted sum over the negatives; s [B, 2N] -> [B]. */
function logNegatives(s: Value, rows: AnchorRows, options: ContrastiveOptions): Value {
  const total = logSumExp(s); // [B]
  if (options.weighting === "none") return total;
  const logWeights = sub(s, reshape(total, [s.shape[0]!, 1])); // log g, [B, 2N]
  const weighted = logSumExp(add(s, options.detach ? stopGradient(logWeights) : logWeights));
  return options.normalisation === "paper" ? weighted : add(weighted, log(maximum(rows.negatives, 1)));
}
