import { Graph } from "../../graph/index.js";
import { declareParameters, type ModelConfig } from "../../model/index.js";
import { declareSide, embedSide } from "./inputs.js";

/**
 * Unit vectors of a batch, without dropout, from the state that is being trained: evaluation during training.
 *
 * Inputs `input_ids`, `input_segments` int32 [B, T] (1 = real, 0 = padding); output `vectors` float32 [B, H].
 */
export function embedProgram(config: ModelConfig): Graph {
  const graph = new Graph("embed");
  const side = declareSide(graph, "input", "B", "T");
  graph.output("vectors", embedSide(declareParameters(graph, config), config, side));
  return graph;
}
