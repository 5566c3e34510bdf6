import { elementCount, tensor, type DType, type Tensor } from "../../base/index.js";
import { fromFloat16, toFloat16 } from "./_float16.js";

/** A tensor of any dtype with its numbers as float64: exact for all but int64 beyond 2^53. */
export interface Dense {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

export function dense(dtype: DType, dims: readonly number[], data: Float64Array | readonly number[]): Dense {
  return { dtype, dims, data: data instanceof Float64Array ? data : Float64Array.from(data) };
}

/** Zeros, to be filled. */
export function empty(dtype: DType, dims: readonly number[]): Dense {
  return { dtype, dims, data: new Float64Array(elementCount(dims)) };
}

export function fromTensor({ dtype, dims, data }: Tensor): Dense {
  if (dtype === "float16") return dense(dtype, dims, Float64Array.from(data as Uint16Array, fromFloat16));
  return dense(dtype, dims, Float64Array.from(data as ArrayLike<number | bigint>, Number));
}

export function toTensor({ dtype, dims, data }: Dense): Tensor {
  switch (dtype) {
    case "float32":
      return tensor(dtype, dims, Float32Array.from(data));
    case "float16":
      return tensor(dtype, dims, Uint16Array.from(data, toFloat16));
    case "int32":
      return tensor(dtype, dims, Int32Array.from(data));
    case "int64":
      return tensor(dtype, dims, BigInt64Array.from(data, BigInt));
    case "bool":
    case "uint8":
      return tensor(dtype, dims, Uint8Array.from(data));
  }
}

/** Elements to step over for one more along each axis: [2, 3, 4] -> [12, 4, 1]. */
export function strides(dims: readonly number[]): number[] {
  const result = new Array<number>(dims.length);
  let step = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    result[axis] = step;
    step *= dims[axis]!;
  }
  return result;
}

/** Calls `visit` with every index of a shape, in row-major order; the array is the same one every time. */
export function eachIndex(dims: readonly number[], visit: (index: readonly number[], at: number) => void): void {
  const index = new Array<number>(dims.length).fill(0);
  const count = elementCount(dims);
  for (let at = 0; at < count; at++) {
    visit(index, at);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < dims[axis]!) break;
      index[axis] = 0;
    }
  }
}

/** NumPy's broadcast shape of shapes that are known to fit. */
export function broadcastDims(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((dims) => dims.length));
  return Array.from({ length: rank }, (_, axis) =>
    shapes.reduce((size, dims) => {
      const dim = dims[axis - rank + dims.length] ?? 1;
      return dim === 1 ? size : dim;
    }, 1),
  );
}

/** Where the element of a broadcast index lies in an operand that is broadcast. */
export function broadcastOffset(dims: readonly number[], index: readonly number[]): number {
  const steps = strides(dims);
  const skip = index.length - dims.length;
  return dims.reduce((offset, dim, axis) => offset + (dim === 1 ? 0 : index[skip + axis]! * steps[axis]!), 0);
}

/** `{outer, size, inner}` of an axis: element (o, a, i) lies at (o * size + a) * inner + i. */
export function aroundAxis(dims: readonly number[], axis: number): { outer: number; size: number; inner: number } {
  return { outer: elementCount(dims.slice(0, axis)), size: dims[axis]!, inner: elementCount(dims.slice(axis + 1)) };
}
