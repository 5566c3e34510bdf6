import type { DType } from "../../src/base/index.js";
import * as ops from "../../src/graph/index.js";
import type { OpName, Shape, Value } from "../../src/graph/index.js";

/** One input of a case: floats are drawn from `range`, integers from 0 to below `below`. */
export interface CaseInput {
  readonly shape: readonly number[];
  readonly dtype?: DType;
  readonly range?: readonly [number, number];
  readonly below?: number;
}

/** One small graph that goes through an op, and the same in PyTorch, written by hand with the inputs a, b, c, d. */
export interface GradientCase {
  readonly inputs: readonly CaseInput[];
  readonly build: (...inputs: Value[]) => Value;
  readonly torch: string;
}

const f = (...shape: number[]): CaseInput => ({ shape });
const positive = (...shape: number[]): CaseInput => ({ shape, range: [0.5, 2] });
const index = (below: number, ...shape: number[]): CaseInput => ({ shape, dtype: "int32", below });

const unary = (build: (x: Value) => Value, torch: string, input: CaseInput = f(2, 3)): GradientCase => ({
  inputs: [input],
  build,
  torch,
});
const binary = (build: (a: Value, b: Value) => Value, torch: string, a = f(2, 3), b = f(3)): GradientCase[] => [
  { inputs: [a, b], build, torch },
  { inputs: [b, a], build, torch },
  {
    inputs: [
      { ...a, shape: [2, 1, 3] },
      { ...b, shape: [4, 1] },
    ],
    build,
    torch,
  },
];

const reshapeTo =
  (shape: Shape) =>
  (x: Value): Value =>
    ops.reshape(x, shape);

/**
 * At least one case for every op that has a gradient rule. `"none"`: it has none, as the table of rules says too;
 * `"through"`: it only appears in the gradient of another op, and is tested by that one's cases.
 */
export const GRADIENT_CASES: { readonly [K in OpName]: readonly GradientCase[] | "none" | "through" } = {
  neg: [unary(ops.neg, "-a")],
  exp: [unary(ops.exp, "a.exp()")],
  log: [unary(ops.log, "a.log()", positive(2, 3))],
  sqrt: [unary(ops.sqrt, "a.sqrt()", positive(2, 3))],
  tanh: [unary(ops.tanh, "a.tanh()")],
  sigmoid: [unary(ops.sigmoid, "a.sigmoid()")],
  softplus: [unary(ops.softplus, "F.softplus(a)")],
  erf: [unary(ops.erf, "a.erf()")],
  abs: [unary(ops.abs, "a.abs()")],
  sign: "none",
  square: [unary(ops.square, "a * a")],
  reciprocal: [unary(ops.reciprocal, "1 / a", positive(2, 3))],
  logicalNot: "none",
  cast: [
    unary((x) => ops.cast(ops.cast(x, "float16"), "float32"), "a.half().float()", { shape: [4], range: [1, 1.01] }),
  ],
  gelu: [
    unary((x) => ops.gelu(x, "tanh"), "F.gelu(a, approximate='tanh')", { shape: [3, 5], range: [-4, 4] }),
    unary((x) => ops.gelu(x, "none"), "F.gelu(a)", { shape: [3, 5], range: [-4, 4] }),
  ],
  geluGrad: "through",
  stopGradient: "none",
  add: binary(ops.add, "a + b"),
  sub: binary(ops.sub, "a - b"),
  mul: binary(ops.mul, "a * b"),
  div: binary(ops.div, "a / b", positive(2, 3), positive(3)),
  maximum: binary(ops.maximum, "torch.maximum(a, b)"),
  minimum: binary(ops.minimum, "torch.minimum(a, b)"),
  equal: "none",
  less: "none",
  greater: "none",
  logicalAnd: "none",
  logicalOr: "none",
  where: [
    {
      inputs: [f(2, 3), f(3), f(2, 1)],
      build: (a, b, c) => ops.where(ops.less(a, 0), b, c),
      torch: "torch.where(a < 0, b, c) + 0 * a",
    },
  ],
  reduceSum: [
    unary((x) => ops.reduceSum(x, [1]), "a.sum(1)", f(2, 3, 4)),
    unary((x) => ops.reduceSum(x), "a.sum()", f(2, 3)),
    unary((x) => ops.reduceSum(x, [0, -1], { keepDims: true }), "a.sum((0, 2), keepdim=True)", f(2, 3, 4)),
  ],
  reduceMean: [
    unary((x) => ops.reduceMean(x, [0, 2]), "a.mean((0, 2))", f(2, 3, 4)),
    unary((x) => ops.reduceMean(x, [-1], { keepDims: true }), "a.mean(-1, keepdim=True)", f(2, 3)),
  ],
  reduceMax: [unary((x) => ops.reduceMax(x, [1]), "a.amax(1)", f(3, 4))],
  argmax: "none",
  logSumExp: [unary(ops.logSumExp, "a.logsumexp(-1)", f(2, 3, 4))],
  reshape: [unary(reshapeTo([3, -1]), "a.reshape(3, -1)", f(2, 3, 4))],
  transpose: [unary((x) => ops.transpose(x, [2, 0, 1]), "a.permute(2, 0, 1)", f(2, 3, 4))],
  expand: [unary((x) => ops.expand(x, [4, 2, 3]), "a.expand(4, 2, 3)", f(2, 1))],
  concat: [{ inputs: [f(2, 3), f(2, 1)], build: (a, b) => ops.concat([a, b, a], 1), torch: "torch.cat([a, b, a], 1)" }],
  slice: [
    unary((x) => ops.slice(x, 1, 1, 3), "a[:, 1:3]", f(2, 4, 2)),
    unary((x) => ops.slice(x, 0, 2), "a[2:]", f(5, 2)),
  ],
  split: [
    unary(
      (x) => {
        const [a, , c] = ops.split(x, -1, [1, 2, 3]);
        return ops.mul(a!, c!);
      },
      "a[:, :1] * a[:, 3:]",
      f(2, 6),
    ),
  ],
  pad: [unary((x) => ops.pad(x, 1, 2, 1), "F.pad(a, (2, 1))", f(2, 3))],
  gather: [
    { inputs: [f(5, 3), index(5, 2, 4)], build: (a, b) => ops.gather(a, b), torch: "a[b.long()]" },
    { inputs: [f(2, 5, 3), index(5, 4)], build: (a, b) => ops.gather(a, b, 1), torch: "a[:, b.long()]" },
  ],
  scatterAddRows: [
    {
      inputs: [index(4, 6), f(6, 3)],
      build: (a, b) => ops.scatterAddRows(a, b, 4),
      torch: "torch.zeros(4, 3).index_add(0, a.long(), b)",
    },
    {
      // The sum of a dense tensor and scattered rows is one ONNX node.
      inputs: [index(4, 2, 3), f(2, 3, 2, 2), f(4, 2, 2)],
      build: (a, b, c) => ops.add(c, ops.scatterAddRows(a, b, 4)),
      torch: "c.index_add(0, a.long().flatten(), b.reshape(6, 2, 2))",
    },
  ],
  gatherElements: [
    {
      inputs: [f(3, 4), index(4, 3, 2)],
      build: (a, b) => ops.gatherElements(a, b, 1),
      torch: "a.gather(1, b.long())",
    },
  ],
  scatterAddElements: [
    {
      inputs: [index(4, 3, 2), f(3, 2)],
      build: (a, b) => ops.scatterAddElements(a, b, 1, 4),
      torch: "torch.zeros(3, 4).scatter_add(1, a.long(), b)",
    },
  ],
  iota: "none",
  dimension: "none",
  matmul: [
    { inputs: [f(2, 3), f(3, 4)], build: (a, b) => ops.matmul(a, b), torch: "a @ b" },
    {
      inputs: [f(3, 2), f(4, 3)],
      build: (a, b) => ops.matmul(a, b, { transposeA: true, transposeB: true, alpha: 0.5 }),
      torch: "0.5 * a.T @ b.T",
    },
    {
      inputs: [f(3, 2), f(3, 4)],
      build: (a, b) => ops.matmul(a, b, { transposeA: true }),
      torch: "a.T @ b",
    },
    { inputs: [f(3, 16), f(3, 2)], build: (a, b) => ops.matmul(a, b, { transposeA: true }), torch: "a.T @ b" },
    {
      inputs: [f(2, 5, 3), f(3, 4), f(4)],
      build: (a, b, c) => ops.add(ops.matmul(a, b), c),
      torch: "a @ b + c",
    },
    {
      inputs: [f(2, 5, 3), f(4, 3)],
      build: (a, b) => ops.matmul(a, b, { transposeB: true, alpha: -2 }),
      torch: "-2 * a @ b.T",
    },
    {
      inputs: [f(2, 1, 5, 3), f(4, 6, 3)],
      build: (a, b) => ops.matmul(a, b, { transposeB: true, alpha: 0.25 }),
      torch: "0.25 * a @ b.transpose(-1, -2)",
    },
    {
      inputs: [f(2, 3, 8), f(2, 3, 2)],
      build: (a, b) => ops.matmul(a, b, { transposeA: true }),
      torch: "a.transpose(-1, -2) @ b",
    },
    {
      inputs: [f(2, 3, 5), f(2, 4, 3)],
      build: (a, b) => ops.matmul(a, b, { transposeA: true, transposeB: true }),
      torch: "a.transpose(-1, -2) @ b.transpose(-1, -2)",
    },
  ],
  softmax: [
    unary(ops.softmax, "a.softmax(-1)", f(2, 3, 4)),
    // Attention, plain and with a mask on the probabilities: their gradients are lowered in fewer passes.
    {
      inputs: [f(2, 4, 3), f(2, 4, 3), f(2, 4, 5)],
      build: (a, b, c) => ops.matmul(ops.softmax(ops.matmul(a, b, { transposeB: true, alpha: 0.5 })), c),
      torch: "(0.5 * a @ b.transpose(-1, -2)).softmax(-1) @ c",
    },
    {
      inputs: [f(2, 4, 3), f(2, 4, 3), f(2, 5, 4), f(2, 4, 4)],
      build: (a, b, c, d) => {
        const probabilities = ops.mul(d, ops.softmax(ops.matmul(a, b, { transposeB: true })));
        return ops.matmul(probabilities, c, { transposeB: true, alpha: 2 });
      },
      torch: "2 * (d * (a @ b.transpose(-1, -2)).softmax(-1)) @ c.transpose(-1, -2)",
    },
  ],
  softmaxGrad: "through",
  softmaxCrossEntropy: [
    {
      inputs: [{ shape: [3, 5], range: [-4, 4] }, index(5, 3)],
      build: (a, b) => ops.softmaxCrossEntropy(a, b),
      torch: "F.cross_entropy(a, b.long(), reduction='none')",
    },
  ],
  softmaxCrossEntropyGrad: "through",
  linearCrossEntropy: [
    {
      inputs: [f(4, 3), f(7, 3), index(7, 4)],
      build: (a, b, c) => ops.linearCrossEntropy(a, b, c).loss,
      torch: "F.cross_entropy(a @ b.T, c.long(), reduction='none')",
    },
  ],
  layerNorm: [
    {
      inputs: [f(2, 3, 8), f(8), f(8)],
      build: (a, b, c) => ops.layerNorm(a, b, c, 1e-5),
      torch: "F.layer_norm(a, (8,), b, c, 1e-5)",
    },
  ],
  layerNormGrad: "through",
  dropoutMask: "none",
  allGather: [unary((x) => ops.allGather(x, 1), "a * 1", f(4, 2))],
  reduceScatter: [unary((x) => ops.reduceScatter(x, 1), "a * 1", f(4, 2))],
};
