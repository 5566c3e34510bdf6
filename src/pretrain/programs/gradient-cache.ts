import { Graph, gradients, mul, reduceSum } from "../../graph/index.js";
import { declareParameters, Parameters, type ModelConfig } from "../../model/index.js";
import { declareLossParameters, lossParameters } from "../losses/index.js";
import { accumulate, takeAccumulated } from "../optimizer/index.js";
import { declareSide, dropoutKey, embedSide, type Side } from "./inputs.js";
import {
  applyGradients,
  outputTemperature,
  parameterGradients,
  trainedShapes,
  type Stage,
  type UpdateOptions,
} from "./update.js";
import {
  declareGroups,
  declareTeacher,
  MODALITIES,
  modalityLoss,
  VIEWS,
  type Modality,
  type Stage2Loss,
  type ViewName,
} from "./views.js";

/**
 * Gradient caching (Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup"): a
 * stage 2 step whose batch does not fit, as programs over one state.
 *
 * 1. `embedChunk` for every chunk of every view: unit vectors, under the dropout of training.
 * 2. `lossRows` for every block of anchors: their part of the loss and of its gradient with respect to all vectors. No
 *    matrix is larger than the block's anchors times 2N.
 * 3. `backwardChunk` for every chunk again, with its rows of that gradient: adds to `grad/NAME`.
 * 4. `applyAccumulated` once.
 *
 * Dropout depends on `row_ids` (numbers in the whole batch) and the view, so the second pass repeats the first, and the
 * result is that of `stage2Step` on the whole batch.
 *
 * `embedChunk` has the inputs `input_ids`, `input_segments` int32 [B, T], `row_ids` int32 [B], `dropout_key` int32 [2];
 * and the output `vectors` float32 [B, H].
 */
export function embedChunk(config: ModelConfig, view: ViewName): Graph {
  const graph = new Graph(`embed-${view}-chunk`);
  graph.output("vectors", chunkVectors(graph, config, view).vectors);
  return graph;
}

/**
 * Inputs `first`, `second` float32 [N, H], the modality's views; `anchors` int32 [B], some of the 2N; where duplicates are
 * masked `text_group`, `code_group` int32 [N]; with a teacher `teacher_text`, `teacher_code` float32 [N, D]. Outputs the
 * anchors' part of stage 2's, and of the gradients:
 * `first_gradient`, `second_gradient` float32 [N, H]. Adds a learned temperature's part to its `grad/NAME`.
 */
export function lossRows(config: ModelConfig, loss: Stage2Loss, modality: Modality): Graph {
  const graph = new Graph(`loss-${modality}-rows`);
  const [first, second] = [
    graph.input("first", "float32", ["N", config.width]),
    graph.input("second", "float32", ["N", config.width]),
  ];
  const anchors = graph.input("anchors", "int32", ["B"]);
  const groups = declareGroups(graph, loss, [modality], "N");
  const teacher = declareTeacher(graph, loss, [modality], "N");
  const state = declareLossParameters(graph, loss.temperature);
  const [one, other] = MODALITIES[modality];
  const parts = graph.scope("loss", () =>
    modalityLoss(loss, modality, { [one]: first, [other]: second }, { groups, state, anchors, teacher }),
  );
  const names = Object.keys(state);
  const found = gradients(parts.loss, [first, second, ...names.map((name) => state[name]!)]);
  for (const [name, value] of Object.entries(parts)) graph.output(name, value);
  graph.output("first_gradient", found[0]!);
  graph.output("second_gradient", found[1]!);
  accumulate(graph, Object.fromEntries(names.map((name, index) => [name, found[index + 2]!])));
  return graph;
}

/** Inputs of `embedChunk` and `vector_gradient` float32 [B, H]; adds the parameters' gradients to `grad/NAME`. */
export function backwardChunk(config: ModelConfig, view: ViewName): Graph {
  const graph = new Graph(`backward-${view}-chunk`);
  const { vectors, parameters } = chunkVectors(graph, config, view);
  const upstream = graph.input("vector_gradient", "float32", vectors.shape);
  // The gradient of this inner product is the chunk's part of the whole loss's gradient.
  const surrogate = reduceSum(mul(vectors, upstream));
  accumulate(graph, parameterGradients(surrogate, parameters, config, "stage2"));
  return graph;
}

/** Input `learning_rate`; clips, updates by `grad/NAME`, sets those to zero; output `grad_norm`, a learned `temperature`. */
export function applyAccumulated(config: ModelConfig, update: UpdateOptions, stage: Stage, loss?: Stage2Loss): Graph {
  const graph = new Graph("apply");
  const temperature = loss?.temperature ?? 1;
  const extra = lossParameters(temperature);
  const parameters = new Parameters({
    ...declareParameters(graph, config).values,
    ...declareLossParameters(graph, temperature),
  });
  const names = Object.keys(trainedShapes(config, stage, extra));
  const trained = Object.fromEntries(names.map((name) => [name, parameters.get(name)]));
  applyGradients(graph, parameters, takeAccumulated(graph, trained), update, extra);
  outputTemperature(graph, parameters);
  return graph;
}

function chunkVectors(graph: Graph, config: ModelConfig, view: ViewName) {
  const batch: Side = declareSide(graph, "input", "B", "T");
  const rows = graph.input("row_ids", "int32", ["B"]);
  const dropout = { key: dropoutKey(graph), rows, stream: VIEWS[view].stream };
  const parameters = declareParameters(graph, config);
  return { vectors: embedSide(parameters, config, batch, dropout), parameters };
}
