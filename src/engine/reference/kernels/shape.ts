import type { shapeShapes } from "../../../graph/index.js";
import { aroundAxis, broadcastOffset, dense, eachIndex, empty, strides, type Dense } from "../_dense.js";
import type { Kernels } from "../_kernel.js";

/** Elements start .. end-1 along an axis. */
function cut(x: Dense, axis: number, start: number, end: number): Dense {
  const { outer, size, inner } = aroundAxis(x.dims, axis);
  const result = empty(
    x.dtype,
    x.dims.map((dim, other) => (other === axis ? end - start : dim)),
  );
  for (let o = 0; o < outer; o++) {
    const from = (o * size + start) * inner;
    result.data.set(x.data.subarray(from, from + (end - start) * inner), o * (end - start) * inner);
  }
  return result;
}

/** Writes `part` into `into` from `start` on along an axis. */
function paste(into: Dense, part: Dense, axis: number, start: number): void {
  const { outer, size, inner } = aroundAxis(part.dims, axis);
  const wide = into.dims[axis]!;
  for (let o = 0; o < outer; o++) {
    into.data.set(part.data.subarray(o * size * inner, (o + 1) * size * inner), (o * wide + start) * inner);
  }
}

export const shapeKernels: Kernels<keyof typeof shapeShapes> = {
  reshape: ([x], { shape }, { size }) => [dense(x.dtype, shape.map(size), x.data)],
  transpose: ([x], { perm }) => {
    const result = empty(
      x.dtype,
      perm.map((axis) => x.dims[axis]!),
    );
    const steps = strides(x.dims);
    eachIndex(result.dims, (index, at) => {
      result.data[at] = x.data[perm.reduce((offset, axis, place) => offset + index[place]! * steps[axis]!, 0)]!;
    });
    return [result];
  },
  expand: ([x], { shape }, { size }) => {
    const result = empty(x.dtype, shape.map(size));
    eachIndex(result.dims, (index, at) => {
      result.data[at] = x.data[broadcastOffset(x.dims, index)]!;
    });
    return [result];
  },
  concat: (inputs, { axis }) => {
    const total = inputs.reduce((sum, input) => sum + input.dims[axis]!, 0);
    const [first] = inputs as readonly [Dense];
    const result = empty(
      first.dtype,
      first.dims.map((dim, other) => (other === axis ? total : dim)),
    );
    let start = 0;
    for (const input of inputs) {
      paste(result, input, axis, start);
      start += input.dims[axis]!;
    }
    return [result];
  },
  slice: ([x], { axis, start, end }, { size }) => [cut(x, axis, size(start), size(end))],
  split: ([x], { axis, sizes }) => {
    let start = 0;
    return sizes.map((size) => cut(x, axis, start, (start += size)));
  },
  pad: ([x], { axis, before, after }, { size }) => {
    const total = size(before) + x.dims[axis]! + size(after);
    const result = empty(
      x.dtype,
      x.dims.map((dim, other) => (other === axis ? total : dim)),
    );
    paste(result, x, axis, size(before));
    return [result];
  },
};
