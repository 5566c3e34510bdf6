import type { NodeOf, Value } from "../graph.js";
import { sizeOf, type Shape } from "../dims.js";
import type { Inputs, OpName, Outputs } from "../ops/signatures.js";
import { cast, dimension, reduceSum, reshape } from "../ops/index.js";

/** What a gradient rule sees. */
export interface GradientContext<K extends OpName> {
  readonly node: NodeOf<K>;
  /** The gradient of each output; undefined where nothing downstream depends on it. Never all undefined. */
  readonly gradients: Outputs<K, Value | undefined>;
  /** Whether the gradient of input i is wanted; work for one that is not may be left out. */
  readonly wanted: Inputs<K, boolean>;
}

/**
 * The gradient of every input from the gradients of the outputs. `"none"`: the result does not depend smoothly on
 * floating point inputs, nothing flows. `"unsupported"`: it would, but nobody needed the rule (second derivatives).
 */
export type GradientRule<K extends OpName> =
  ((context: GradientContext<K>) => Inputs<K, Value | undefined>) | "none" | "unsupported";

/** A table with a rule for each of the ops named. */
export type GradientRules<K extends OpName> = { readonly [Name in K]: GradientRule<Name> };

/** Sums a gradient over the axes that broadcasting added or stretched, back to `shape`. */
export function sumTo(gradient: Value, shape: Shape): Value {
  const extra = gradient.shape.length - shape.length;
  const axes = gradient.shape.flatMap((dim, axis) =>
    axis < extra || (shape[axis - extra] === 1 && dim !== 1) ? [axis] : [],
  );
  return axes.length === 0 ? gradient : reshape(reduceSum(gradient, axes), shape);
}

/** `shape` with 1 in place of the reduced axes. */
export function keptShape(shape: Shape, axes: readonly number[]): Shape {
  return shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
}

/** The number of elements that were reduced into one, as a number or as a value where it is only known at run time. */
export function reducedCount(x: Value, axes: readonly number[]): number | Value {
  const count = sizeOf(axes.map((axis) => x.shape[axis]!));
  return typeof count === "number" ? count : cast(dimension(x.graph, count), x.dtype);
}
