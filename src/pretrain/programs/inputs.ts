import type { Dim, Graph, Value } from "../../graph/index.js";
import {
  encode,
  isPlainBag,
  normalise,
  pool,
  poolBag,
  type DropoutInputs,
  type ModelConfig,
  type Parameters,
} from "../../model/index.js";

/** The input `dropout_key`, int32 [2]: a function of seed and step. */
export function dropoutKey(graph: Graph): Value {
  return graph.input("dropout_key", "int32", [2]);
}

/** One side of a batch of texts. */
export interface Side {
  /** int32 [B, T] */
  readonly inputIds: Value;
  /** int32 [B, T]: 1 for a real token, 0 for padding. */
  readonly segments: Value;
}

/** Declares `PREFIX_ids` and `PREFIX_segments`, int32 [rows, length]. */
export function declareSide(graph: Graph, prefix: string, rows: Dim, length: Dim): Side {
  return {
    inputIds: graph.input(`${prefix}_ids`, "int32", [rows, length]),
    segments: graph.input(`${prefix}_segments`, "int32", [rows, length]),
  };
}

/** Unit vectors [B, H] of one side. */
export function embedSide(
  parameters: Parameters,
  config: ModelConfig,
  { inputIds, segments }: Side,
  dropout?: DropoutInputs,
): Value {
  const drops = dropout !== undefined && config.dropout > 0;
  if (isPlainBag(config) && !drops) return normalise(poolBag(parameters, config, inputIds, segments));
  const options = dropout === undefined ? {} : { dropout };
  const states = encode(parameters, config, { inputIds, attentionMask: segments }, options);
  return normalise(pool(parameters, config, states, inputIds, segments));
}
