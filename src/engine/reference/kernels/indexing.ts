import { UserError, elementCount } from "../../../base/index.js";
import type { indexingShapes } from "../../../graph/index.js";
import { aroundAxis, dense, eachIndex, empty, strides, type Dense } from "../_dense.js";
import type { Kernels } from "../_kernel.js";

function inRange(index: number, size: number): number {
  if (index >= 0 && index < size) return index;
  throw new UserError("engine.run", `gather: expected indices from 0 to ${size - 1}, got ${index}`);
}

/** For every element of `indices`: its offset in a tensor of `dims` whose `axis` it picks from. */
function eachPick(
  indices: Dense,
  dims: readonly number[],
  axis: number,
  visit: (at: number, offset: number) => void,
): void {
  const steps = strides(dims);
  eachIndex(indices.dims, (index, at) => {
    const picked = inRange(indices.data[at]!, dims[axis]!);
    visit(
      at,
      steps.reduce((sum, step, other) => sum + (other === axis ? picked : index[other]!) * step, 0),
    );
  });
}

export const indexingKernels: Kernels<keyof typeof indexingShapes> = {
  gather: ([table, indices], { axis }) => {
    const { outer, size, inner } = aroundAxis(table.dims, axis);
    const result = empty(table.dtype, [...table.dims.slice(0, axis), ...indices.dims, ...table.dims.slice(axis + 1)]);
    const count = indices.data.length;
    for (let o = 0; o < outer; o++) {
      for (let n = 0; n < count; n++) {
        const from = (o * size + inRange(indices.data[n]!, size)) * inner;
        result.data.set(table.data.subarray(from, from + inner), (o * count + n) * inner);
      }
    }
    return [result];
  },
  scatterAddRows: ([indices, updates], { rows }, { size }) => {
    const rest = updates.dims.slice(indices.dims.length);
    const result = empty(updates.dtype, [size(rows), ...rest]);
    const width = elementCount(rest);
    indices.data.forEach((row, n) => {
      const to = inRange(row, size(rows)) * width;
      for (let i = 0; i < width; i++) result.data[to + i]! += updates.data[n * width + i]!;
    });
    return [result];
  },
  gatherElements: ([x, indices], { axis }) => {
    const result = empty(x.dtype, indices.dims);
    eachPick(indices, x.dims, axis, (at, offset) => (result.data[at] = x.data[offset]!));
    return [result];
  },
  scatterAddElements: ([indices, updates], { axis, size: length }, { size }) => {
    const result = empty(
      updates.dtype,
      updates.dims.map((dim, other) => (other === axis ? size(length) : dim)),
    );
    eachPick(indices, result.dims, axis, (at, offset) => (result.data[offset]! += updates.data[at]!));
    return [result];
  },
  iota: (_, { size: count }, { size }) => [
    dense(
      "int32",
      [size(count)],
      Float64Array.from({ length: size(count) }, (_unused, index) => index),
    ),
  ],
  dimension: (_, { size: dim }, { size }) => [dense("int32", [], [size(dim)])],
};
