import { Graph, type Dim, type Value } from "../../graph/index.js";
import { declareParameters, encode, tokenLosses, type ModelConfig, type Parameters } from "../../model/index.js";
import { maskedTokensLoss } from "../losses/index.js";
import { accumulate } from "../optimizer/index.js";
import { dropoutKey } from "./inputs.js";
import { applyGradients, parameterGradients, type UpdateOptions } from "./update.js";

/** Sizes of a stage 1 batch: rows, tokens a row, capacity of masked places. Symbolic unless given. */
export interface Stage1Dims {
  readonly batch?: Dim;
  readonly length?: Dim;
  readonly masked?: Dim;
}

/**
 * One training step of stage 1.
 *
 * Inputs: `input_ids`, `positions`, `segments` int32 [B, T] (segments 0 = padding, 1.. = document); `masked_index`,
 * `masked_label`, `objective` int32 [M] and `masked_weight` float32 [M] (see `maskedTokensLoss`; unused capacity
 * repeats index 0 with weight 0); `row_ids` int32 [B], `dropout_key` int32 [2], `learning_rate` float32 [].
 * Outputs: `loss`, `grad_norm` and the metrics of `maskedTokensLoss`.
 */
export function stage1Step(config: ModelConfig, update: UpdateOptions, dims: Stage1Dims = {}): Graph {
  const graph = new Graph("stage1-step");
  const { parameters, loss } = stage1Forward(graph, config, dims, true);
  applyGradients(graph, parameters, parameterGradients(loss, parameters, config, "stage1"), update);
  return graph;
}

/**
 * One chunk of a stage 1 batch: the same inputs without `learning_rate`, the same outputs without `grad_norm`; gradients
 * are added to `grad/NAME`. `applyAccumulated` ends the batch. Weights count over the whole batch, and `row_ids` are
 * numbers in the whole batch, so chunks give what one step would.
 */
export function stage1Accumulate(config: ModelConfig, dims: Stage1Dims = {}): Graph {
  const graph = new Graph("stage1-accumulate");
  const { parameters, loss } = stage1Forward(graph, config, dims, true);
  accumulate(graph, parameterGradients(loss, parameters, config, "stage1"));
  return graph;
}

/** Loss and metrics without dropout and without an update; inputs as {@link stage1Step} but for the last three. */
export function stage1Evaluate(config: ModelConfig, dims: Stage1Dims = {}): Graph {
  const graph = new Graph("stage1-evaluate");
  stage1Forward(graph, config, dims, false);
  return graph;
}

function stage1Forward(
  graph: Graph,
  config: ModelConfig,
  { batch = "B", length = "T", masked = "M" }: Stage1Dims,
  training: boolean,
): { readonly parameters: Parameters; readonly loss: Value } {
  const inputIds = graph.input("input_ids", "int32", [batch, length]);
  const positions = graph.input("positions", "int32", [batch, length]);
  const segments = graph.input("segments", "int32", [batch, length]);
  const select = graph.input("masked_index", "int32", [masked]);
  const labels = graph.input("masked_label", "int32", [masked]);
  const weights = graph.input("masked_weight", "float32", [masked]);
  const objective = graph.input("objective", "int32", [masked]);
  const parameters = declareParameters(graph, config);

  const dropout = training ? { key: dropoutKey(graph), rows: graph.input("row_ids", "int32", [batch]) } : undefined;
  const inputs = { inputIds, segments, positions };
  const { final } = encode(parameters, config, inputs, { select, ...(dropout === undefined ? {} : { dropout }) });
  const tokens = graph.scope("head", () => tokenLosses(final, labels, parameters)); // [M] each
  const { loss, metrics } = graph.scope("loss", () => maskedTokensLoss({ tokens, weights, objective }));
  graph.output("loss", loss);
  for (const [name, value] of Object.entries(metrics)) graph.output(name, value);
  return { parameters, loss };
}
