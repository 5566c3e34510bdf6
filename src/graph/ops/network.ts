import { broadcastShapes, multiplyDims, sameShape, showShape, type Dim } from "../dims.js";
import { expect, type TensorType, type Value } from "../graph.js";
import { expectDType, expectFloat } from "./_operands.js";
import { mul } from "./elementwise.js";
import type { DropoutParams, MatmulParams } from "./signatures.js";

type One = readonly [TensorType];
type Two = readonly [TensorType, TensorType];
type Three = readonly [TensorType, TensorType, TensorType];
type Five = readonly [TensorType, TensorType, TensorType, TensorType, TensorType];

function expectShape(what: string, value: TensorType, shape: readonly Dim[]): void {
  expect(sameShape(value.shape, shape), () => `expected ${what} ${showShape(shape)}, got ${showShape(value.shape)}`);
}

export const networkShapes = {
  matmul: ([a, b]: Two, { transposeA, transposeB }: MatmulParams): One => {
    expectFloat("a value", a);
    expect(a.dtype === b.dtype, () => `expected equal dtypes, got ${a.dtype} and ${b.dtype}`);
    expect(
      a.shape.length >= 2 && b.shape.length >= 2,
      () => `expected matrices, got ${showShape(a.shape)} and ${showShape(b.shape)}`,
    );
    const [rowsA, columnsA] = a.shape.slice(-2) as [Dim, Dim];
    const [rowsB, columnsB] = b.shape.slice(-2) as [Dim, Dim];
    const [m, inner] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
    const [innerB, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
    const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
    expect(
      inner === innerB && batch !== undefined,
      () =>
        `expected matrices that fit, got ${showShape(a.shape)}${transposeA ? " transposed" : ""} and ` +
        `${showShape(b.shape)}${transposeB ? " transposed" : ""}`,
    );
    return [{ dtype: a.dtype, shape: [...batch, m, n] }];
  },
  softmax: ([x]: One): One => {
    expectFloat("a value", x);
    expect(x.shape.length > 0, "expected at least one axis, got a scalar");
    return [x];
  },
  softmaxGrad: ([y, gradient]: Two): One => {
    expectShape("a gradient", gradient, y.shape);
    return [y];
  },
  softmaxCrossEntropy: ([logits, labels]: Two): Two => {
    expectFloat("logits", logits);
    expectDType("labels", labels, "int32", "int64");
    expect(logits.shape.length === 2, () => `expected logits [M, V], got ${showShape(logits.shape)}`);
    expectShape("labels", labels, logits.shape.slice(0, 1));
    return [{ dtype: logits.dtype, shape: labels.shape }, logits];
  },
  softmaxCrossEntropyGrad: ([probabilities, labels, gradient]: Three): One => {
    expectShape("a gradient", gradient, labels.shape);
    return [probabilities];
  },
  linearCrossEntropy: ([x, table, labels]: Three): Three => {
    expectFloat("a value", x);
    expectDType("labels", labels, "int32", "int64");
    const [rows, width] = x.shape;
    const [classes, tableWidth] = table.shape;
    const matrices = x.shape.length === 2 && table.shape.length === 2 && width === tableWidth;
    expect(matrices, () => `expected x [M, H] and table [V, H], got ${showShape(x.shape)}, ${showShape(table.shape)}`);
    expectShape("labels", labels, [rows!]);
    const row: TensorType = { dtype: x.dtype, shape: [rows!] };
    return [row, row, { dtype: x.dtype, shape: [rows!, classes!] }];
  },
  layerNorm: ([x, scale, bias]: Three): Three => {
    expectFloat("a value", x);
    expect(x.shape.length > 0, "expected at least one axis, got a scalar");
    expectShape("scale", scale, x.shape.slice(-1));
    expectShape("bias", bias, x.shape.slice(-1));
    const row: TensorType = { dtype: x.dtype, shape: [...x.shape.slice(0, -1), 1] };
    return [x, row, row];
  },
  layerNormGrad: ([x, scale, , , gradient]: Five): Three => {
    expectShape("a gradient", gradient, x.shape);
    return [x, scale, scale];
  },
  dropoutMask: ([key, rows]: Two, { rate, shape }: DropoutParams): One => {
    expectDType("a key", key, "int32");
    expectShape("a key", key, [2]);
    expectDType("rows", rows, "int32");
    expect(rate >= 0 && rate < 1, () => `expected a rate in [0, 1), got ${rate}`);
    expect(
      rows.shape.length === 1 && shape.length >= 2 && rows.shape[0] === shape[0],
      () => `expected rows [R] and a shape [R, ...], got ${showShape(rows.shape)} and ${showShape(shape)}`,
    );
    return [{ dtype: "float32", shape }];
  },
  allGather: ([x]: One, { processes }: { readonly processes: number }): One => {
    expect(x.shape.length > 0, "expected at least one axis, got a scalar");
    return [{ dtype: x.dtype, shape: [multiplyDims(x.shape[0]!, processes), ...x.shape.slice(1)] }];
  },
  reduceScatter: ([x]: One, { processes }: { readonly processes: number }): One => {
    const [first] = x.shape;
    expect(
      typeof first === "number" && first % processes === 0,
      () => `expected a first axis that ${processes} processes share, got ${showShape(x.shape)}`,
    );
    return [{ dtype: x.dtype, shape: [first / processes, ...x.shape.slice(1)] }];
  },
};

/** alpha * A B over the last two axes, leading axes broadcasting: [..., M, K] x [..., K, N] -> [..., M, N]. */
export function matmul(a: Value, b: Value, options: Partial<MatmulParams> = {}): Value {
  const params = { transposeA: false, transposeB: false, alpha: 1, ...options };
  return a.graph.emit("matmul", params, [a, b], networkShapes.matmul)[0];
}

/** Softmax over the last axis. Give masked places a finite bias (-1e4): a row of -Infinity only is NaN. */
export function softmax(x: Value): Value {
  return x.graph.emit("softmax", {}, [x], networkShapes.softmax)[0];
}

/** The gradient of `softmax` from its result y: y * (g - sum(g * y)). */
export function softmaxGrad(y: Value, gradient: Value): Value {
  return y.graph.emit("softmaxGrad", {}, [y, gradient], networkShapes.softmaxGrad)[0];
}

/** -log softmax(logits)[label] per row: logits [M, V], labels int [M] -> loss [M]. */
export function softmaxCrossEntropy(logits: Value, labels: Value): Value {
  return logits.graph.emit("softmaxCrossEntropy", {}, [logits, labels], networkShapes.softmaxCrossEntropy)[0];
}

/** (probabilities - onehot(labels)) * gradient: [M, V], [M], [M] -> [M, V]. */
export function softmaxCrossEntropyGrad(probabilities: Value, labels: Value, gradient: Value): Value {
  const inputs = [probabilities, labels, gradient] as const;
  return labels.graph.emit("softmaxCrossEntropyGrad", {}, inputs, networkShapes.softmaxCrossEntropyGrad)[0];
}

/**
 * `softmaxCrossEntropy(x table^T, labels)` for a vocabulary so large that every pass over [M, V] counts: its gradient
 * needs two matrix products with the probabilities and none of the element-wise passes.
 *
 * @returns the loss [M], and as float32 [M] whether the label was the most likely class.
 */
export function linearCrossEntropy(
  x: Value,
  table: Value,
  labels: Value,
): { readonly loss: Value; readonly correct: Value } {
  const inputs = [x, table, labels] as const;
  const [loss, correct] = x.graph.emit("linearCrossEntropy", {}, inputs, networkShapes.linearCrossEntropy);
  return { loss, correct };
}

/** Layer normalisation over the last axis (Ba et al. 2016), population variance: x [..., H], scale and bias [H]. */
export function layerNorm(x: Value, scale: Value, bias: Value, eps = 1e-5): Value {
  return x.graph.emit("layerNorm", { eps }, [x, scale, bias], networkShapes.layerNorm)[0];
}

/** Gradients of `layerNorm` with respect to x, scale and bias. */
export function layerNormGrad(
  x: Value,
  scale: Value,
  mean: Value,
  invStd: Value,
  gradient: Value,
): readonly [Value, Value, Value] {
  return x.graph.emit("layerNormGrad", {}, [x, scale, mean, invStd, gradient], networkShapes.layerNormGrad);
}

export interface DropoutOptions {
  /** The share of elements that become 0, in [0, 1); the others grow by 1/(1-rate). */
  readonly rate: number;
  /** int32 [2]: what differs between steps and runs. */
  readonly key: Value;
  /** int32 [R], R being x's first dimension: the global row ids, so that chunks and ranks do not change the mask. */
  readonly rows: Value;
  /** Which dropout of the network this is. */
  readonly place: number;
}

/**
 * Dropout (Srivastava et al. 2014) as a pure function of key, place, global row id and the position in the row: the
 * same on every engine, in every chunking, on every resume. At rate 0 it is x itself.
 */
export function dropout(x: Value, { rate, key, rows, place }: DropoutOptions): Value {
  if (rate === 0) return x;
  const params: DropoutParams = { rate, place, shape: x.shape };
  return mul(x, x.graph.emit("dropoutMask", params, [key, rows], networkShapes.dropoutMask)[0]);
}

/** [n, ...] of every process -> [processes * n, ...] in the order of the ranks; the identity for one process. */
export function allGather(x: Value, processes = 1): Value {
  return x.graph.emit("allGather", { processes }, [x], networkShapes.allGather)[0];
}

/** The sum over all processes of our part of the first axis: the gradient of `allGather`. */
export function reduceScatter(x: Value, processes = 1): Value {
  return x.graph.emit("reduceScatter", { processes }, [x], networkShapes.reduceScatter)[0];
}
