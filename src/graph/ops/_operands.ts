import type { DType } from "../../base/index.js";
import { broadcastShapes, showShape } from "../dims.js";
import { expect, type TensorType, type Value } from "../graph.js";

/** A value, or a number that becomes a scalar constant of the other operand's dtype. */
export type Operand = Value | number;

/** Turns numbers among the operands into constants; at least one operand is a value. */
export function operands(left: Operand, right: Operand): readonly [Value, Value] {
  if (typeof left === "number") {
    if (typeof right === "number") throw new RangeError("operands: expected at least one value, got two numbers");
    return [right.graph.constant(left, right.dtype), right];
  }
  return [left, typeof right === "number" ? left.graph.constant(right, left.dtype) : right];
}

/** The type of a broadcasting op; dtypes must be equal. */
export function broadcast(left: TensorType, right: TensorType, dtype: DType = left.dtype): TensorType {
  expect(left.dtype === right.dtype, () => `expected equal dtypes, got ${left.dtype} and ${right.dtype}`);
  const shape = broadcastShapes(left.shape, right.shape);
  expect(
    shape !== undefined,
    () => `expected shapes that broadcast, got ${showShape(left.shape)} and ${showShape(right.shape)}`,
  );
  return { dtype, shape };
}

/** Complains unless the value is of one of the dtypes. */
export function expectDType(what: string, value: TensorType, ...dtypes: readonly DType[]): void {
  expect(dtypes.includes(value.dtype), () => `expected ${what} of ${dtypes.join(" or ")}, got ${value.dtype}`);
}

/** Floating point. */
export function expectFloat(what: string, value: TensorType): void {
  expectDType(what, value, "float32", "float16");
}

/** Complains about an axis outside the rank; negative axes are resolved before rules see them. */
export function expectAxis(axis: number, value: TensorType): void {
  expect(
    Number.isInteger(axis) && axis >= 0 && axis < value.shape.length,
    () => `expected an axis of ${showShape(value.shape)}, got ${axis}`,
  );
}

/** Counts a negative axis from the end. */
export function resolveAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
