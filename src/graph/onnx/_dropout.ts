import type { NodeOf } from "../graph.js";
import { ONNX_TYPES, type Emitter } from "./_emitter.js";
import { range } from "./indexing.js";

const MASK_32 = 0xffffffff;
const TOP_BIT = 0x80000000;
/** Separates the columns' hashes from the rows'. */
const COLUMN_STREAM = 0x9e3779b9;
const FIRST_FACTOR = 0x21f0aaad;
const SECOND_FACTOR = 0x7feb352d;

/**
 * The dropout mask by integer arithmetic only, so that every engine makes the same one. Rows (first axis by global id,
 * then the axes between) and columns (last axis) are hashed separately, which is little work; over the full tensor
 * there is one wrapping 32-bit product of two odd hashes and one comparison of its top bits with the rate. The place
 * comes in last, so that all masks of one shape share everything but the final hash of their rows.
 */
export function lowerDropoutMask(e: Emitter, key: string, rows: string, node: NodeOf<"dropoutMask">): string {
  const { rate, place, shape } = node.params;
  const seed = keySeed(e, key);
  const rank = shape.length;
  let row = mix(e, plus(e, seed, e.op("Unsqueeze", [unsigned(e, rows), axesAfter(e, rank)])));
  for (let axis = 1; axis < rank - 1; axis++) {
    const index = range(e, shape[axis]!, "int64");
    row = mix(e, plus(e, row, e.op("Unsqueeze", [index, axesAround(e, rank, axis)])));
  }
  const rowHere = mix(e, plus(e, row, e.number(mixNumber(place), "int64")));
  const columnSeed = mix(e, plus(e, seed, e.number(COLUMN_STREAM, "int64")));
  const column = mix(e, plus(e, columnSeed, range(e, shape.at(-1)!, "int64")));
  const product = e.op("Mul", [oddInt32(e, rowHere), oddInt32(e, column)]);
  const threshold = Math.round(rate * 2 ** 32) - 2 ** 31;
  const kept = e.op("Greater", [product, e.number(threshold - 1, "int32")]);
  // One byte an element, then scale and conversion to float in one pass.
  const bytes = e.op("Cast", [kept], { to: ONNX_TYPES.uint8 });
  return e.op("DequantizeLinear", [bytes, e.number(1 / (1 - rate))]);
}

/** A number that depends on both halves of the key. */
function keySeed(e: Emitter, key: string): string {
  const half = (index: number): string => unsigned(e, e.op("Gather", [key, e.number(index, "int64")], { axis: 0 }));
  return mix(e, plus(e, mix(e, half(0)), half(1)));
}

/** `mix` of a number that is known now. */
function mixNumber(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), FIRST_FACTOR) >>> 0;
  x = Math.imul(x ^ (x >>> 15), SECOND_FACTOR) >>> 0;
  return (x ^ (x >>> 15)) >>> 0;
}

/** int32 -> int64 holding the same 32 bits as an unsigned number. */
function unsigned(e: Emitter, x: string): string {
  return e.op("BitwiseAnd", [e.cast(x, "int32", "int64"), e.number(MASK_32, "int64")]);
}

/** Addition modulo 2^32. */
function plus(e: Emitter, a: string, b: string): string {
  return e.op("BitwiseAnd", [e.op("Add", [a, b]), e.number(MASK_32, "int64")]);
}

/**
 * A 32-bit integer hash of the xorshift-multiply kind, in int64: both multipliers are below 2^31, so that no product
 * overflows.
 */
function mix(e: Emitter, x: string): string {
  const fold = (value: string, shift: number): string =>
    e.op("BitwiseXor", [value, e.op("Div", [value, e.number(2 ** shift, "int64")])]);
  const times = (value: string, factor: number): string =>
    e.op("BitwiseAnd", [e.op("Mul", [value, e.number(factor, "int64")]), e.number(MASK_32, "int64")]);
  return fold(times(fold(times(fold(x, 16), FIRST_FACTOR), 15), SECOND_FACTOR), 15);
}

/** Sets the lowest bit and reinterprets 32 bits as signed. */
function oddInt32(e: Emitter, x: string): string {
  const odd = e.op("BitwiseOr", [x, e.number(1, "int64")]);
  const flipped = e.op("BitwiseXor", [odd, e.number(TOP_BIT, "int64")]);
  return e.cast(e.op("Sub", [flipped, e.number(TOP_BIT, "int64")]), "int64", "int32");
}

/** Axes to add behind the first so that the rank is `rank`. */
function axesAfter(e: Emitter, rank: number): string {
  return e.int64s(Array.from({ length: rank - 1 }, (_, index) => index + 1));
}

/** Axes to add so that a vector lies along `axis`. */
function axesAround(e: Emitter, rank: number, axis: number): string {
  return e.int64s(Array.from({ length: rank }, (_, index) => index).filter((index) => index !== axis));
}
