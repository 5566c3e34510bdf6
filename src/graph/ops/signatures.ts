import type { DType } from "../../base/index.js";
import type { Dim, Shape } from "../dims.js";

/**
 * The vocabulary: every op with its number of inputs, its parameters and its number of outputs. The tables of shape
 * rules, gradient rules, ONNX lowerings and reference kernels are typed by these names, so an op that lacks one of
 * them does not compile.
 */
export interface Signature<Inputs extends number, Params, Outputs extends number> {
  readonly inputs: Inputs;
  readonly params: Params;
  readonly outputs: Outputs;
}

/** `number` inputs or outputs mean "one or more". */
type Op<Inputs extends number, Params = NoParams, Outputs extends number = 1> = Signature<Inputs, Params, Outputs>;

export type NoParams = Readonly<Record<never, never>>;
export interface ReduceParams {
  /** Ascending, without repeats, never negative. */
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}
export interface ShapeParams {
  readonly shape: Shape;
}
export interface AxisParams {
  readonly axis: number;
}
export interface MatmulParams {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly alpha: number;
}
/** `tanh` is `gelu_new`; `none` is the exact form with erf. */
export type GeluForm = "tanh" | "none";
export interface DropoutParams {
  readonly rate: number;
  /** Which dropout of the network this is; different places have independent masks. */
  readonly place: number;
  readonly shape: Shape;
}

export interface OpSignatures {
  // Element-wise on one value.
  neg: Op<1>;
  exp: Op<1>;
  log: Op<1>;
  sqrt: Op<1>;
  tanh: Op<1>;
  sigmoid: Op<1>;
  /** log(1 + e^x), without overflow. */
  softplus: Op<1>;
  erf: Op<1>;
  abs: Op<1>;
  /** -1, 0 or 1. */
  sign: Op<1>;
  square: Op<1>;
  reciprocal: Op<1>;
  logicalNot: Op<1>;
  cast: Op<1, { readonly to: DType }>;
  gelu: Op<1, { readonly form: GeluForm }>;
  /** (x, gradient of gelu(x), gelu(x)) -> gradient of x. */
  geluGrad: Op<3, { readonly form: GeluForm }>;
  /** The identity; gradients stop here. */
  stopGradient: Op<1>;

  // Element-wise on two or three values, broadcasting as NumPy does.
  add: Op<2>;
  sub: Op<2>;
  mul: Op<2>;
  div: Op<2>;
  maximum: Op<2>;
  minimum: Op<2>;
  equal: Op<2>;
  less: Op<2>;
  greater: Op<2>;
  logicalAnd: Op<2>;
  logicalOr: Op<2>;
  /** (condition, then, else). */
  where: Op<3>;

  // Reductions.
  reduceSum: Op<1, ReduceParams>;
  reduceMean: Op<1, ReduceParams>;
  reduceMax: Op<1, ReduceParams>;
  /** Index (int32) of the first largest element along `axis`, which disappears. */
  argmax: Op<1, AxisParams>;
  /** log(sum(e^x)) over the last axis, which disappears. */
  logSumExp: Op<1>;

  // Shape.
  reshape: Op<1, ShapeParams>;
  transpose: Op<1, { readonly perm: readonly number[] }>;
  expand: Op<1, ShapeParams>;
  concat: Op<number, AxisParams>;
  slice: Op<1, { readonly axis: number; readonly start: Dim; readonly end: Dim }>;
  split: Op<1, { readonly axis: number; readonly sizes: readonly number[] }, number>;
  /** Zeros before and after along one axis: the gradient of slice. */
  pad: Op<1, { readonly axis: number; readonly before: Dim; readonly after: Dim }>;

  // Indexing.
  /** (table, indices) -> table's slices along `axis`. */
  gather: Op<2, AxisParams>;
  /** (indices [...], updates [..., rest]) -> [rows, rest]: zeros plus every update at its row; duplicates add up. */
  scatterAddRows: Op<2, { readonly rows: Dim }>;
  /** (x, indices of the same rank) -> picks along `axis`. */
  gatherElements: Op<2, AxisParams>;
  /** (indices, updates of the same shape) -> zeros of size `size` along `axis` plus every update; duplicates add up. */
  scatterAddElements: Op<2, { readonly axis: number; readonly size: Dim }>;
  /** int32 [size]: 0, 1, 2, ... */
  iota: Op<0, { readonly size: Dim }>;
  /** int32 []: the number that a dimension has in this run. */
  dimension: Op<0, { readonly size: Dim }>;

  // Linear algebra and networks.
  /** alpha * A B over the last two axes; leading axes broadcast. */
  matmul: Op<2, MatmulParams>;
  /** Over the last axis. */
  softmax: Op<1>;
  /** (softmax(x), its gradient) -> gradient of x. */
  softmaxGrad: Op<2>;
  /** (logits [M, V], labels [M]) -> (loss [M], probabilities [M, V]). */
  softmaxCrossEntropy: Op<2, NoParams, 2>;
  /** (probabilities [M, V], labels [M], gradient of loss [M]) -> gradient of logits. */
  softmaxCrossEntropyGrad: Op<3>;
  /** (x [M, H], table [V, H], labels [M]) -> (loss [M], 1 where the label is the most likely [M], probabilities [M, V]). */
  linearCrossEntropy: Op<3, NoParams, 3>;
  /** (x [..., H], scale [H], bias [H]) -> (y [..., H], mean [..., 1], 1/standard deviation [..., 1]). */
  layerNorm: Op<3, { readonly eps: number }, 3>;
  /** (x, scale, mean, invStd, gradient of y) -> (gradient of x, of scale, of bias). */
  layerNormGrad: Op<5, NoParams, 3>;
  /** (key int32 [2], rows int32 [R]) -> float32 `shape`: 0 with probability `rate`, otherwise 1/(1-rate). */
  dropoutMask: Op<2, DropoutParams>;

  // Between processes (our own ONNX domain; the identity when there is one process).
  /** [n, ...] -> [processes * n, ...], in the order of the ranks. */
  allGather: Op<1, { readonly processes: number }>;
  /** The sum over processes of the part that is ours: the gradient of allGather. */
  reduceScatter: Op<1, { readonly processes: number }>;
}

export type OpName = keyof OpSignatures;
export type Params<K extends OpName> = OpSignatures[K]["params"];

/** A tuple of N Ts for N up to 5; an array where N is just `number`. */
export type Tuple<T, N extends number> = number extends N
  ? readonly T[]
  : N extends 0
    ? readonly []
    : N extends 1
      ? readonly [T]
      : N extends 2
        ? readonly [T, T]
        : N extends 3
          ? readonly [T, T, T]
          : N extends 5
            ? readonly [T, T, T, T, T]
            : never;

/** One T per input of the op. */
export type Inputs<K extends OpName, T> = Tuple<T, OpSignatures[K]["inputs"]>;
/** One T per output of the op. */
export type Outputs<K extends OpName, T> = Tuple<T, OpSignatures[K]["outputs"]>;
