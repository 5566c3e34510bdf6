import {
  addDims,
  broadcastShapes,
  canonical,
  divideDims,
  sameShape,
  showShape,
  sizeOf,
  subtractDims,
} from "../dims.js";
import type { Dim, Shape } from "../dims.js";
import { expect, type TensorType, type Value } from "../graph.js";
import { expectAxis, resolveAxis } from "./_operands.js";
import type { AxisParams, OpSignatures, ShapeParams } from "./signatures.js";

type One = readonly [TensorType];

/** The same value with another size along one axis. */
function resized(x: TensorType, axis: number, size: Dim): TensorType {
  return { dtype: x.dtype, shape: x.shape.map((dim, index) => (index === axis ? size : dim)) };
}

export const shapeShapes = {
  reshape: ([x]: One, { shape }: ShapeParams): One => {
    expect(
      sizeOf(x.shape) === sizeOf(shape),
      () => `expected ${sizeOf(x.shape)} elements as in ${showShape(x.shape)}, got ${showShape(shape)}`,
    );
    return [{ dtype: x.dtype, shape }];
  },
  transpose: ([x]: One, { perm }: OpSignatures["transpose"]["params"]): One => {
    const fits = perm.length === x.shape.length && x.shape.every((_, axis) => perm.includes(axis));
    expect(fits, () => `expected an order of the axes of ${showShape(x.shape)}, got [${perm.join(", ")}]`);
    return [{ dtype: x.dtype, shape: perm.map((axis) => x.shape[axis]!) }];
  },
  expand: ([x]: One, { shape }: ShapeParams): One => {
    const both = broadcastShapes(x.shape, shape);
    expect(
      both !== undefined && sameShape(both, shape),
      () => `expected a shape that ${showShape(x.shape)} broadcasts to, got ${showShape(shape)}`,
    );
    return [{ dtype: x.dtype, shape }];
  },
  concat: (inputs: readonly TensorType[], { axis }: AxisParams): One => {
    const [first, ...rest] = inputs;
    expect(first !== undefined, "expected at least one value, got none");
    expectAxis(axis, first);
    for (const other of rest) {
      const fits =
        other.dtype === first.dtype &&
        other.shape.length === first.shape.length &&
        other.shape.every((dim, index) => index === axis || dim === first.shape[index]);
      expect(fits, () => `expected ${showShape(first.shape)} but for axis ${axis}, got ${showShape(other.shape)}`);
    }
    return [resized(first, axis, addDims(...inputs.map((input) => input.shape[axis]!)))];
  },
  slice: ([x]: One, { axis, start, end }: OpSignatures["slice"]["params"]): One => {
    expectAxis(axis, x);
    const size = subtractDims(end, start);
    const dim = x.shape[axis]!;
    const known = typeof start === "number" && typeof end === "number" && typeof dim === "number";
    const inside = known ? 0 <= start && start <= end && end <= dim : typeof size !== "number" || size >= 0;
    expect(inside, () => `expected a range within axis ${axis} of ${showShape(x.shape)}, got ${start} to ${end}`);
    return [resized(x, axis, size)];
  },
  split: ([x]: One, { axis, sizes }: OpSignatures["split"]["params"]): readonly TensorType[] => {
    expectAxis(axis, x);
    expect(
      addDims(...sizes) === x.shape[axis],
      () => `expected sizes that add up to ${x.shape[axis]}, got [${sizes.join(", ")}]`,
    );
    return sizes.map((size) => resized(x, axis, size));
  },
  pad: ([x]: One, { axis, before, after }: OpSignatures["pad"]["params"]): One => {
    expectAxis(axis, x);
    return [resized(x, axis, addDims(before, x.shape[axis]!, after))];
  },
};

/** The same elements in row-major order under another shape; one dimension may be -1. */
export function reshape(x: Value, shape: Shape): Value {
  let target: Shape = shape.map(canonical);
  const free = target.indexOf(-1);
  if (free >= 0) {
    const known = sizeOf(target.filter((dim) => dim !== -1));
    const size = divideDims(sizeOf(x.shape), known);
    // An impossible -1 stays and is refused by the rule with both shapes in the message.
    if (size !== undefined) target = target.map((dim) => (dim === -1 ? size : dim));
  }
  if (sameShape(target, x.shape)) return x;
  return x.graph.emit("reshape", { shape: target }, [x], shapeShapes.reshape)[0];
}

/** Reorders the axes: result axis i is x's axis perm[i]. */
export function transpose(x: Value, perm: readonly number[]): Value {
  if (perm.length === x.shape.length && perm.every((axis, index) => axis === index)) return x;
  return x.graph.emit("transpose", { perm }, [x], shapeShapes.transpose)[0];
}

/** Broadcasts to exactly `shape`. */
export function expand(x: Value, shape: Shape): Value {
  const target = shape.map(canonical);
  return sameShape(target, x.shape) ? x : x.graph.emit("expand", { shape: target }, [x], shapeShapes.expand)[0];
}

/** Joins values along an axis; all other dimensions are equal. */
export function concat(values: readonly Value[], axis: number): Value {
  const [first] = values;
  if (first === undefined) throw new RangeError("concat: expected at least one value, got none");
  if (values.length === 1) return first;
  return first.graph.emit("concat", { axis: resolveAxis(axis, first.shape.length) }, values, shapeShapes.concat)[0];
}

/** Elements `start` up to, without, `end` along one axis; both may be symbolic. `end` defaults to the axis's end. */
export function slice(x: Value, axis: number, start: Dim, end?: Dim): Value {
  const resolved = resolveAxis(axis, x.shape.length);
  const range = { axis: resolved, start: canonical(start), end: canonical(end ?? x.shape[resolved] ?? 0) };
  return x.graph.emit("slice", range, [x], shapeShapes.slice)[0];
}

/** Cuts an axis of known size into parts. */
export function split(x: Value, axis: number, sizes: readonly number[]): readonly Value[] {
  const resolved = resolveAxis(axis, x.shape.length);
  return x.graph.emit("split", { axis: resolved, sizes }, [x], shapeShapes.split);
}

/** Adds zeros before and after along one axis. */
export function pad(x: Value, axis: number, before: Dim, after: Dim): Value {
  return x.graph.emit("pad", { axis: resolveAxis(axis, x.shape.length), before, after }, [x], shapeShapes.pad)[0];
}
