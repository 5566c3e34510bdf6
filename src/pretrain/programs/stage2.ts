import { Graph, type Dim, type Value } from "../../graph/index.js";
import { declareParameters, Parameters, type ModelConfig } from "../../model/index.js";
import { declareLossParameters, lossParameters } from "../losses/index.js";
import { declareSide, dropoutKey, embedSide, type Side } from "./inputs.js";
import { applyGradients, outputTemperature, parameterGradients, type UpdateOptions } from "./update.js";
import {
  addParts,
  declareGroups,
  declareTeacher,
  modalitiesOf,
  modalityLoss,
  VIEWS,
  viewsOf,
  type Stage2Loss,
} from "./views.js";

/** Sizes of a stage 2 batch: pairs and tokens of either side. Symbolic unless given. */
export interface Stage2Dims {
  readonly pairs?: Dim;
  readonly textLength?: Dim;
  readonly codeLength?: Dim;
}

/**
 * One training step of stage 2.
 *
 * Inputs: `text_ids`, `text_segments` int32 [N, Tt] and `code_ids`, `code_segments` int32 [N, Tc] (segments 1 = real,
 * 0 = padding; only of sides that the loss compares), row i of both a pair; where duplicates are masked `text_group`,
 * `code_group` int32 [N]; with a teacher `teacher_text`, `teacher_code` float32 [N, D]; `row_ids` int32 [N], `dropout_key`
 * int32 [2], `learning_rate` float32 [].
 * Outputs: `loss`, `grad_norm`, the metrics of `contrastiveLoss`, `temperature` where it is learned.
 */
export function stage2Step(config: ModelConfig, loss: Stage2Loss, update: UpdateOptions, dims: Stage2Dims = {}): Graph {
  const graph = new Graph("stage2-step");
  const { parameters, value } = stage2Forward(graph, config, loss, dims, true);
  const extra = lossParameters(loss.temperature);
  applyGradients(graph, parameters, parameterGradients(value, parameters, config, "stage2", extra), update, extra);
  outputTemperature(graph, parameters);
  return graph;
}

/** Loss and metrics without dropout and without an update; inputs as {@link stage2Step} but for the last three. */
export function stage2Evaluate(config: ModelConfig, loss: Stage2Loss, dims: Stage2Dims = {}): Graph {
  const graph = new Graph("stage2-evaluate");
  stage2Forward(graph, config, loss, dims, false);
  return graph;
}

function stage2Forward(
  graph: Graph,
  config: ModelConfig,
  loss: Stage2Loss,
  { pairs = "N", textLength = "Tt", codeLength = "Tc" }: Stage2Dims,
  training: boolean,
): { readonly parameters: Parameters; readonly value: Value } {
  const views = viewsOf(loss);
  const modalities = modalitiesOf(loss);
  const sides: Partial<Record<"text" | "code", Side>> = {};
  for (const [side, length] of [
    ["text", textLength],
    ["code", codeLength],
  ] as const) {
    if (views.includes(side)) sides[side] = declareSide(graph, side, pairs, length);
  }
  const groups = declareGroups(graph, loss, modalities, pairs);
  const teacher = declareTeacher(graph, loss, modalities, pairs);
  const dropout = training ? { key: dropoutKey(graph), rows: graph.input("row_ids", "int32", [pairs]) } : undefined;
  const encoder = declareParameters(graph, config);
  const state = declareLossParameters(graph, loss.temperature);
  const vectors = Object.fromEntries(
    views.map((view) => {
      const { side, stream } = VIEWS[view];
      const embed = (): Value => embedSide(encoder, config, sides[side]!, dropout && { ...dropout, stream });
      return [view, graph.scope(view, embed)];
    }),
  );
  const parts = graph.scope("loss", () =>
    addParts(modalities.map((modality) => modalityLoss(loss, modality, vectors, { groups, state, teacher }))),
  );
  for (const [name, value] of Object.entries(parts)) graph.output(name, value);
  return { parameters: new Parameters({ ...encoder.values, ...state }), value: parts.loss };
}
