import type { reduceShapes } from "../../../graph/index.js";
import { aroundAxis, dense, eachIndex, empty, strides, type Dense } from "../_dense.js";
import type { Kernels } from "../_kernel.js";

interface ReduceParams {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** Folds the axes away, beginning with `start`. */
function reduce(
  x: Dense,
  { axes, keepDims }: ReduceParams,
  start: number,
  f: (sum: number, x: number) => number,
): Dense {
  const kept = x.dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
  const result = empty(x.dtype, kept);
  result.data.fill(start);
  const steps = strides(kept);
  eachIndex(x.dims, (index, at) => {
    const to = kept.reduce((offset, dim, axis) => offset + (dim === 1 ? 0 : index[axis]! * steps[axis]!), 0);
    result.data[to] = f(result.data[to]!, x.data[at]!);
  });
  return keepDims
    ? result
    : dense(
        x.dtype,
        x.dims.filter((_, axis) => !axes.includes(axis)),
        result.data,
      );
}

export const reduceKernels: Kernels<keyof typeof reduceShapes> = {
  reduceSum: ([x], params) => [reduce(x, params, 0, (sum, value) => sum + value)],
  reduceMean: ([x], params) => {
    const count = params.axes.reduce((product, axis) => product * x.dims[axis]!, 1);
    const sum = reduce(x, params, 0, (total, value) => total + value);
    return [
      dense(
        x.dtype,
        sum.dims,
        sum.data.map((value) => value / count),
      ),
    ];
  },
  reduceMax: ([x], params) => [reduce(x, params, -Infinity, Math.max)],
  argmax: ([x], { axis }) => {
    const { outer, size, inner } = aroundAxis(x.dims, axis);
    const result = empty(
      "int32",
      x.dims.filter((_, other) => other !== axis),
    );
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let best = 0;
        for (let a = 1; a < size; a++) {
          if (x.data[(o * size + a) * inner + i]! > x.data[(o * size + best) * inner + i]!) best = a;
        }
        result.data[o * inner + i] = best;
      }
    }
    return [result];
  },
  logSumExp: ([x]) => {
    const size = x.dims.at(-1)!;
    const result = empty(x.dtype, x.dims.slice(0, -1));
    for (let row = 0; row < result.data.length; row++) {
      const values = x.data.subarray(row * size, (row + 1) * size);
      const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
      result.data[row] = most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
    }
    return [result];
  },
};
