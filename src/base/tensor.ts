/** Plain data tensors: what crosses every boundary between rooms, threads and files. Row-major, no strides. */
export type DType = "float32" | "float16" | "int32" | "int64" | "bool" | "uint8";

/** `float16` is carried as raw bits in a Uint16Array, `bool` as 0/1 in a Uint8Array. */
export interface DTypeArrays {
  float32: Float32Array;
  float16: Uint16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  bool: Uint8Array;
  uint8: Uint8Array;
}

export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly dims: readonly number[];
  readonly data: DTypeArrays[D];
}

const CONSTRUCTORS = {
  float32: Float32Array,
  float16: Uint16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  uint8: Uint8Array,
} as const;

/** Bytes of one element. */
export function bytesPerElement(dtype: DType): number {
  return CONSTRUCTORS[dtype].BYTES_PER_ELEMENT;
}

/** The number of elements of a static shape; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** Wraps data, checking that its length fits `dims`. */
export function tensor<D extends DType>(dtype: D, dims: readonly number[], data: DTypeArrays[D]): Tensor<D> {
  if (data.length !== elementCount(dims)) {
    throw new RangeError(
      `tensor: expected ${elementCount(dims)} elements for [${dims.join(", ")}], got ${data.length}`,
    );
  }
  return { dtype, dims, data };
}

/** A tensor of zeros. */
export function zeros<D extends DType>(dtype: D, dims: readonly number[]): Tensor<D> {
  return { dtype, dims, data: new CONSTRUCTORS[dtype](elementCount(dims)) as DTypeArrays[D] };
}

/** A float32 tensor from numbers. */
export function float32(dims: readonly number[], values: ArrayLike<number>): Tensor<"float32"> {
  return tensor("float32", dims, Float32Array.from(values));
}

/** An int32 tensor from numbers. */
export function int32(dims: readonly number[], values: ArrayLike<number>): Tensor<"int32"> {
  return tensor("int32", dims, Int32Array.from(values));
}

/** Views raw little-endian bytes as a tensor's data; copies only where the offset is not aligned. */
export function fromBytes<D extends DType>(dtype: D, dims: readonly number[], bytes: Uint8Array): Tensor<D> {
  const size = bytesPerElement(dtype);
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const array = new CONSTRUCTORS[dtype](aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / size);
  return tensor(dtype, dims, array as DTypeArrays[D]);
}

/** The raw bytes of a tensor's data, without a copy. */
export function toBytes(value: Tensor): Uint8Array {
  return new Uint8Array(value.data.buffer, value.data.byteOffset, value.data.byteLength);
}
