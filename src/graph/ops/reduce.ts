import { expect, type ShapeRule, type TensorType, type Value } from "../graph.js";
import { expectAxis, expectDType, expectFloat, resolveAxis } from "./_operands.js";
import type { ReduceParams } from "./signatures.js";

const reduce = ([x]: readonly [TensorType], { axes, keepDims }: ReduceParams): readonly [TensorType] => {
  expectDType("a value", x, "float32", "float16", "int32", "int64");
  for (const axis of axes) expectAxis(axis, x);
  expect(new Set(axes).size === axes.length, () => `expected different axes, got [${axes.join(", ")}]`);
  const shape = keepDims
    ? x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : x.shape.filter((_, axis) => !axes.includes(axis));
  return [{ dtype: x.dtype, shape }];
};

export const reduceShapes = {
  reduceSum: reduce,
  reduceMean: reduce,
  reduceMax: reduce,
  argmax: ([x]: readonly [TensorType], { axis }: { readonly axis: number }): readonly [TensorType] => {
    expectAxis(axis, x);
    return [{ dtype: "int32", shape: x.shape.filter((_, index) => index !== axis) }];
  },
  logSumExp: ([x]: readonly [TensorType]): readonly [TensorType] => {
    expectFloat("a value", x);
    expect(x.shape.length > 0, "expected at least one axis, got a scalar");
    return [{ dtype: x.dtype, shape: x.shape.slice(0, -1) }];
  },
};

/** `axes` may count from the end; left out, all axes are reduced. */
type Reduction = (x: Value, axes?: readonly number[], options?: { readonly keepDims?: boolean }) => Value;

function reduction(op: "reduceSum" | "reduceMean" | "reduceMax"): Reduction {
  const rule = reduceShapes[op] as ShapeRule<"reduceSum">;
  return (x, axes, options = {}) => {
    const all = axes ?? x.shape.map((_, axis) => axis);
    const resolved = all.map((axis) => resolveAxis(axis, x.shape.length)).sort((a, b) => a - b);
    const keepDims = options.keepDims ?? false;
    return x.graph.emit<"reduceSum">(op as "reduceSum", { axes: resolved, keepDims }, [x], rule)[0];
  };
}

/** The sum over axes. */
export const reduceSum = reduction("reduceSum");
/** The mean over axes. */
export const reduceMean = reduction("reduceMean");
/** The largest over axes; the gradient goes to all that are equally large, in equal parts. */
export const reduceMax = reduction("reduceMax");

/** The index (int32) of the first largest element along `axis` (default: the last), which disappears. */
export function argmax(x: Value, axis = -1): Value {
  return x.graph.emit("argmax", { axis: resolveAxis(axis, x.shape.length) }, [x], reduceShapes.argmax)[0];
}

/** log(sum(e^x)) over the last axis: [..., V] -> [...]. */
export function logSumExp(x: Value): Value {
  return x.graph.emit("logSumExp", {}, [x], reduceShapes.logSumExp)[0];
}
