import type { NodeOf } from "../graph.js";
import type { Inputs, OpName, Outputs } from "../ops/signatures.js";
import type { Emitter } from "./_emitter.js";

/** Emits ONNX nodes for one node of ours; takes the names of its inputs and gives those of its outputs. */
export type Lowering<K extends OpName> = (
  emitter: Emitter,
  inputs: Inputs<K, string>,
  node: NodeOf<K>,
) => Outputs<K, string>;

/** A table with a lowering for each of the ops named. */
export type Lowerings<K extends OpName> = { readonly [Name in K]: Lowering<Name> };
