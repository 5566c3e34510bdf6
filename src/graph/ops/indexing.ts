import { canonical, sameShape, showShape, type Dim } from "../dims.js";
import { expect, type Graph, type TensorType, type Value } from "../graph.js";
import { expectAxis, expectDType, resolveAxis } from "./_operands.js";
import type { AxisParams, OpSignatures } from "./signatures.js";

type Two = readonly [TensorType, TensorType];
type One = readonly [TensorType];

export const indexingShapes = {
  gather: ([table, indices]: Two, { axis }: AxisParams): One => {
    expectAxis(axis, table);
    expectDType("indices", indices, "int32", "int64");
    const shape = [...table.shape.slice(0, axis), ...indices.shape, ...table.shape.slice(axis + 1)];
    return [{ dtype: table.dtype, shape }];
  },
  scatterAddRows: ([indices, updates]: Two, { rows }: OpSignatures["scatterAddRows"]["params"]): One => {
    expectDType("indices", indices, "int32", "int64");
    const rank = indices.shape.length;
    expect(
      sameShape(updates.shape.slice(0, rank), indices.shape),
      () => `expected updates that start with ${showShape(indices.shape)}, got ${showShape(updates.shape)}`,
    );
    return [{ dtype: updates.dtype, shape: [rows, ...updates.shape.slice(rank)] }];
  },
  gatherElements: ([x, indices]: Two, { axis }: AxisParams): One => {
    expectAxis(axis, x);
    expectDType("indices", indices, "int32", "int64");
    const fits =
      indices.shape.length === x.shape.length &&
      indices.shape.every((dim, index) => index === axis || dim === x.shape[index]);
    expect(fits, () => `expected indices ${showShape(x.shape)} but for axis ${axis}, got ${showShape(indices.shape)}`);
    return [{ dtype: x.dtype, shape: indices.shape }];
  },
  scatterAddElements: ([indices, updates]: Two, params: OpSignatures["scatterAddElements"]["params"]): One => {
    expectAxis(params.axis, updates);
    expectDType("indices", indices, "int32", "int64");
    expect(
      sameShape(indices.shape, updates.shape),
      () => `expected updates ${showShape(indices.shape)}, got ${showShape(updates.shape)}`,
    );
    const shape = updates.shape.map((dim, axis) => (axis === params.axis ? params.size : dim));
    return [{ dtype: updates.dtype, shape }];
  },
  iota: (_: readonly [], { size }: OpSignatures["iota"]["params"]): One => [{ dtype: "int32", shape: [size] }],
  dimension: (): One => [{ dtype: "int32", shape: [] }],
};

/** table's slices at `indices` (int32 or int64, never negative) along `axis`: [V, H], [B, T] -> [B, T, H]. */
export function gather(table: Value, indices: Value, axis = 0): Value {
  const params = { axis: resolveAxis(axis, table.shape.length) };
  return table.graph.emit("gather", params, [table, indices], indexingShapes.gather)[0];
}

/**
 * Zeros [rows, ...] plus every update at the row its index names: the gradient of `gather`. Duplicate indices add up,
 * always in the same order, so that two runs agree bit for bit.
 */
export function scatterAddRows(indices: Value, updates: Value, rows: Dim): Value {
  return indices.graph.emit(
    "scatterAddRows",
    { rows: canonical(rows) },
    [indices, updates],
    indexingShapes.scatterAddRows,
  )[0];
}

/** Picks x[..., indices, ...] along `axis`; `indices` has x's rank: [N, V], [N, 1] -> [N, 1]. */
export function gatherElements(x: Value, indices: Value, axis = -1): Value {
  const params = { axis: resolveAxis(axis, x.shape.length) };
  return x.graph.emit("gatherElements", params, [x, indices], indexingShapes.gatherElements)[0];
}

/** Zeros with `size` elements along `axis` plus every update at its index: the gradient of `gatherElements`. */
export function scatterAddElements(indices: Value, updates: Value, axis: number, size: Dim): Value {
  const params = { axis: resolveAxis(axis, updates.shape.length), size };
  return indices.graph.emit("scatterAddElements", params, [indices, updates], indexingShapes.scatterAddElements)[0];
}

/** 0, 1, 2, ... as int32 [size]. */
export function iota(graph: Graph, size: Dim): Value {
  return graph.emit("iota", { size: canonical(size) }, [], indexingShapes.iota)[0];
}

/** The number that a (symbolic) dimension has in this run, as int32 []. */
export function dimension(graph: Graph, size: Dim): Value {
  return graph.emit("dimension", { size: canonical(size) }, [], indexingShapes.dimension)[0];
}
