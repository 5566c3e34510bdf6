import type { ShapeRule } from "../graph.js";
import { elementwiseShapes } from "./elementwise.js";
import { indexingShapes } from "./indexing.js";
import { networkShapes } from "./network.js";
import { reduceShapes } from "./reduce.js";
import { shapeShapes } from "./shape.js";
import type { OpName } from "./signatures.js";

export * from "./elementwise.js";
export * from "./indexing.js";
export * from "./network.js";
export * from "./reduce.js";
export * from "./shape.js";
export type * from "./signatures.js";
export type { Operand } from "./_operands.js";

/** The shape rule of every op. */
export const SHAPES: { readonly [K in OpName]: ShapeRule<K> } = {
  ...elementwiseShapes,
  ...reduceShapes,
  ...shapeShapes,
  ...indexingShapes,
  ...networkShapes,
};

/** Every op name, in the order of the tables. */
export const OP_NAMES = Object.keys(SHAPES) as readonly OpName[];
