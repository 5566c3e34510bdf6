import { Graph, gradients, mul, reduceSum } from "../../graph/index.js";
import { declareParameters, type ModelConfig } from "../../model/index.js";
import { contrastiveLoss, type ContrastiveOptions } from "../losses/index.js";
import { accumulate, takeAccumulated } from "../optimizer/index.js";
import { declareSide, dropoutKey, embedSide, type Side } from "./inputs.js";
import { STREAMS } from "./stage2.js";
import { applyGradients, parameterGradients, trainedShapes, type Stage, type UpdateOptions } from "./update.js";

/**
 * Gradient caching (Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup"): a
 * stage 2 step whose batch does not fit, as four programs over one state.
 *
 * 1. `embedChunk` for every chunk of either side: unit vectors, under the dropout of training.
 * 2. `lossGradient` once: the loss and its gradient with respect to all vectors.
 * 3. `backwardChunk` for every chunk again, with its rows of that gradient: adds to `grad/NAME`.
 * 4. `applyAccumulated` once.
 *
 * Dropout depends on `row_ids` (numbers in the whole batch) and the side, so the second pass repeats the first, and the
 * result is that of `stage2Step` on the whole batch.
 */
export type ChunkSide = keyof typeof STREAMS;

/**
 * Inputs `input_ids`, `input_segments` int32 [B, T], `row_ids` int32 [B], `dropout_key` int32 [2];
 * output `vectors` float32 [B, H].
 */
export function embedChunk(config: ModelConfig, side: ChunkSide): Graph {
  const graph = new Graph(`embed-${side}-chunk`);
  graph.output("vectors", chunkVectors(graph, config, side).vectors);
  return graph;
}

/** Inputs `text_vectors`, `code_vectors` float32 [N, H]; outputs as stage 2's, and `text_gradient`, `code_gradient`. */
export function lossGradient(config: ModelConfig, contrastive: ContrastiveOptions): Graph {
  const graph = new Graph("loss-gradient");
  const text = graph.input("text_vectors", "float32", ["N", config.width]);
  const code = graph.input("code_vectors", "float32", ["N", config.width]);
  const { loss, metrics } = contrastiveLoss(text, code, contrastive);
  const [textGradient, codeGradient] = gradients(loss, [text, code]);
  graph.output("loss", loss);
  for (const [name, value] of Object.entries(metrics)) graph.output(name, value);
  graph.output("text_gradient", textGradient!);
  graph.output("code_gradient", codeGradient!);
  return graph;
}

/** Inputs of `embedChunk` and `vector_gradient` float32 [B, H]; adds the parameters' gradients to `grad/NAME`. */
export function backwardChunk(config: ModelConfig, side: ChunkSide): Graph {
  const graph = new Graph(`backward-${side}-chunk`);
  const { vectors, parameters } = chunkVectors(graph, config, side);
  const upstream = graph.input("vector_gradient", "float32", vectors.shape);
  // The gradient of this inner product is the chunk's part of the whole loss's gradient.
  const surrogate = reduceSum(mul(vectors, upstream));
  accumulate(graph, parameterGradients(surrogate, parameters, config, "stage2"));
  return graph;
}

/** Input `learning_rate`; clips, updates by `grad/NAME`, sets those to zero; output `grad_norm`. */
export function applyAccumulated(config: ModelConfig, update: UpdateOptions, stage: Stage): Graph {
  const graph = new Graph("apply");
  const parameters = declareParameters(graph, config);
  const trained = Object.keys(trainedShapes(config, stage)).map((name) => [name, parameters.get(name)] as const);
  applyGradients(graph, parameters, takeAccumulated(graph, Object.fromEntries(trained)), update);
  return graph;
}

function chunkVectors(graph: Graph, config: ModelConfig, side: ChunkSide) {
  const batch: Side = declareSide(graph, "input", "B", "T");
  const dropout = { key: dropoutKey(graph), rows: graph.input("row_ids", "int32", ["B"]), stream: STREAMS[side] };
  const parameters = declareParameters(graph, config);
  return { vectors: embedSide(parameters, config, batch, dropout), parameters };
}
