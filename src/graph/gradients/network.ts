import type { NodeOf, Value } from "../graph.js";
import { sizeOf } from "../dims.js";
import * as ops from "../ops/index.js";
import type { networkShapes } from "../ops/network.js";
import { sumTo, type GradientRules } from "./_rule.js";

const { add, gather, matmul, mul, neg, reshape, sub } = ops;

/**
 * C = alpha A' B', where a prime means "transposed if the params say so". One matrix B for many A (a linear layer) has
 * its gradient as one large product over all rows instead of a batch of small ones that are then added.
 */
function matmulGradient(
  { inputs: [a, b], params }: NodeOf<"matmul">,
  g: Value,
  wanted: readonly [boolean, boolean],
): readonly [Value | undefined, Value | undefined] {
  const { transposeA, transposeB, alpha } = params;
  const gradientOfA = (): Value =>
    transposeA
      ? matmul(b, g, { transposeA: transposeB, transposeB: true, alpha })
      : matmul(g, b, { transposeB: !transposeB, alpha });
  const gradientOfB = (): Value => {
    const shared = b.shape.length === 2 && a.shape.length > 2 && !transposeA;
    const [left, right] = shared ? [flat(a), flat(g)] : [a, g];
    return transposeB
      ? matmul(right, left, { transposeA: true, transposeB: transposeA, alpha })
      : matmul(left, right, { transposeA: !transposeA, alpha });
  };
  return [wanted[0] ? sumTo(gradientOfA(), a.shape) : undefined, wanted[1] ? sumTo(gradientOfB(), b.shape) : undefined];
}

/** [..., N] -> [rows, N]. */
function flat(x: Value): Value {
  return reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);
}

export const networkGradients: GradientRules<keyof typeof networkShapes> = {
  matmul: ({ node, gradients: [g], wanted }) => matmulGradient(node, g!, wanted),
  softmax: ({
    node: {
      outputs: [y],
    },
    gradients: [g],
  }) => [ops.softmaxGrad(y, g!)],
  softmaxGrad: "unsupported",
  softmaxCrossEntropy: ({
    node: {
      inputs: [, labels],
      outputs: [, probabilities],
    },
    gradients: [g],
  }) => [
    // The probabilities are private to this pair of ops, so only the loss has a gradient.
    ops.softmaxCrossEntropyGrad(probabilities, labels, g!),
    undefined,
  ],
  softmaxCrossEntropyGrad: "unsupported",
  linearCrossEntropy: ({
    node: {
      inputs: [x, table, labels],
      outputs: [, , probabilities],
    },
    gradients: [g],
    wanted,
  }) => {
    // d loss / d logits = P - onehot; the one-hot part becomes a gather and a scatter of M rows. `correct` is a count
    // and has no gradient.
    if (g === undefined) return [undefined, undefined, undefined];
    const weight = reshape(g, [g.shape[0]!, 1]); // [M, 1]
    const weighted = mul(x, weight); // [M, H]
    return [
      wanted[0] ? mul(sub(matmul(probabilities, table), gather(table, labels)), weight) : undefined,
      wanted[1]
        ? add(
            matmul(probabilities, weighted, { transposeA: true }),
            ops.scatterAddRows(labels, neg(weighted), table.shape[0]!),
          )
        : undefined,
      undefined,
    ];
  },
  layerNorm: ({
    node: {
      inputs: [x, scale],
      outputs: [, mean, invStd],
    },
    gradients: [g],
  }) =>
    // Mean and deviation are private to this pair of ops too.
    ops.layerNormGrad(x, scale, mean, invStd, g!),
  layerNormGrad: "unsupported",
  dropoutMask: "none",
  allGather: ({ node: { params }, gradients: [g] }) => [ops.reduceScatter(g!, params.processes)],
  reduceScatter: ({ node: { params }, gradients: [g] }) => [ops.allGather(g!, params.processes)],
};
