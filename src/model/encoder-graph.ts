import { Graph } from "../graph/index.js";
import type { ModelConfig } from "./config.js";
import { encode } from "./encode.js";
import { declareParameters } from "./parameter-values.js";
import { normalise, pool } from "./pool.js";

/** @see encoderGraph */
export interface EncoderGraphOptions {
  /** Whether `sentence_embedding` has length 1. Default false: the vector as pooled. */
  readonly normalised?: boolean;
}

/**
 * The encoder as it is exported: the forward pass of training without dropout, loss and optimizer.
 *
 * Inputs `input_ids`, `attention_mask` int64 [B, T]; outputs `last_hidden_state` [B, T, H] (after `ln_f`) and
 * `sentence_embedding` [B, H]. Parameters are the graph's state. T is at most `maxLength`.
 */
export function encoderGraph(config: ModelConfig, options: EncoderGraphOptions = {}): Graph {
  const graph = new Graph("encoder");
  const inputIds = graph.input("input_ids", "int64", ["B", "T"]);
  const attentionMask = graph.input("attention_mask", "int64", ["B", "T"]);
  const parameters = declareParameters(graph, config);
  const states = encode(parameters, config, { inputIds, attentionMask });
  const pooled = pool(parameters, config, states, inputIds, attentionMask);
  graph.output("last_hidden_state", states.final);
  graph.output("sentence_embedding", options.normalised === true ? normalise(pooled) : pooled);
  return graph;
}
