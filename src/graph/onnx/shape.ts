import type { DType } from "../../base/index.js";
import type { Dim } from "../dims.js";
import type { shapeShapes } from "../ops/shape.js";
import type { Emitter } from "./_emitter.js";
import type { Lowerings } from "./_lowering.js";

export const shapeLowerings: Lowerings<keyof typeof shapeShapes> = {
  reshape: (e, [x], { inputs, params }) => [e.reshape(x, inputs[0].shape, params.shape)],
  transpose: (e, [x], { params }) => [e.op("Transpose", [x], { perm: params.perm })],
  expand: (e, [x], { params }) => [e.op("Expand", [x, e.shape(params.shape)])],
  concat: (e, inputs, { params }) => [e.op("Concat", inputs, { axis: params.axis })],
  slice: (e, [x], { params }) => [e.op("Slice", [x, e.dim(params.start), e.dim(params.end), e.int64s([params.axis])])],
  split: (e, [x], { params }) =>
    e.ops("Split", [x, e.int64s(params.sizes)], params.sizes.length, { axis: params.axis }),
  pad: (e, [x], { inputs, params }) => {
    const { dtype, shape } = inputs[0];
    const zerosOf = (size: Dim): string[] =>
      size === 0 ? [] : [zeros(e, dtype, e.shape(shape.map((dim, axis) => (axis === params.axis ? size : dim))))];
    const parts = [...zerosOf(params.before), x, ...zerosOf(params.after)];
    return [parts.length === 1 ? x : e.op("Concat", parts, { axis: params.axis })];
  },
};

/** Zeros of a shape that is an int64 vector. */
export function zeros(e: Emitter, dtype: DType, shape: string): string {
  return e.op("Expand", [e.cast(e.number(0), "float32", dtype), shape]);
}
