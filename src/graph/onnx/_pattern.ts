import type { Node, NodeOf, Value } from "../graph.js";
import type { OpName } from "../ops/signatures.js";
import type { Emitter } from "./_emitter.js";

/** What a fusion may look at beyond its own node. */
export interface FusionContext {
  readonly emitter: Emitter;
  readonly nameOf: (value: Value) => string;
  /** The live nodes that read a value, and how often anything reads it. */
  readonly readers: ReadonlyMap<Value, readonly Node[]>;
  readonly uses: ReadonlyMap<Value, number>;
}

/** The node of this op that makes the value. */
export function madeBy<K extends OpName>(op: K, value: Value): NodeOf<K> | undefined {
  return value.origin.kind === "node" && value.origin.node.op === op
    ? (value.origin.node as unknown as NodeOf<K>)
    : undefined;
}
