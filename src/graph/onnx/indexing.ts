import { sizeOf, type Dim } from "../dims.js";
import type { NodeOf } from "../graph.js";
import type { indexingShapes } from "../ops/indexing.js";
import type { Emitter } from "./_emitter.js";
import type { Lowerings } from "./_lowering.js";
import { zeros } from "./shape.js";

export const indexingLowerings: Lowerings<keyof typeof indexingShapes> = {
  gather: (e, [table, indices], { params }) => [e.op("Gather", [table, indices], { axis: params.axis })],
  scatterAddRows: (e, [indices, updates], node) => {
    const { dtype, shape } = node.outputs[0];
    return [scatterRowsInto(e, zeros(e, dtype, e.shape(shape)), indices, updates, node)];
  },
  gatherElements: (e, [x, indices], { params }) => [e.op("GatherElements", [x, indices], { axis: params.axis })],
  scatterAddElements: (e, [indices, updates], { outputs, params }) => {
    const base = zeros(e, outputs[0].dtype, e.shape(outputs[0].shape));
    return [e.op("ScatterElements", [base, indices, updates], { axis: params.axis, reduction: "add" })];
  },
  iota: (e, _, { params }) => [range(e, params.size, "int32")],
  dimension: (e, _, { params }) => [e.cast(e.op("Squeeze", [e.dim(params.size), e.int64s([0])]), "int64", "int32")],
};

/** 0, 1, 2, ... */
export function range(e: Emitter, size: Dim, dtype: "int32" | "int64"): string {
  const end = e.cast(e.op("Squeeze", [e.dim(size), e.int64s([0])]), "int64", dtype);
  return e.op("Range", [e.number(0, dtype), end, e.number(1, dtype)]);
}

/**
 * Adds update rows to a base [rows, width]. ScatterND would be faster but adds duplicates in parallel without a lock
 * in ONNX Runtime; ScatterElements goes through them one by one and gives the same sum every time.
 */
export function scatterRowsInto(
  e: Emitter,
  base: string,
  indices: string,
  updates: string,
  { inputs, outputs }: NodeOf<"scatterAddRows">,
): string {
  const [index, update] = inputs;
  const [rows, ...rest] = outputs[0].shape;
  const count = sizeOf(index.shape);
  const width = sizeOf(rest);
  const column = e.reshape(e.index(indices, index), index.shape, [count, 1]);
  const spread = e.op("Expand", [column, e.shape([count, width])]);
  const flatBase = e.reshape(base, outputs[0].shape, [rows!, width]);
  const flatUpdates = e.reshape(updates, update.shape, [count, width]);
  const summed = e.op("ScatterElements", [flatBase, spread, flatUpdates], { axis: 0, reduction: "add" });
  return e.reshape(summed, [rows!, width], outputs[0].shape);
}
