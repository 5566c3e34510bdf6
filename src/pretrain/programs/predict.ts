import { Graph, log, matmul, softmax } from "../../graph/index.js";
import { declareParameters, encode, type ModelConfig } from "../../model/index.js";

/** Log probabilities of every token at some places: inputs `input_ids` int32 [1, T], `places` int32 [M]; output [M, V]. */
export function predictProgram(config: ModelConfig): Graph {
  const graph = new Graph("predict");
  const inputIds = graph.input("input_ids", "int32", [1, "T"]);
  const select = graph.input("places", "int32", ["M"]);
  const parameters = declareParameters(graph, config);
  const { final } = encode(parameters, config, { inputIds }, { select });
  const logits = matmul(final, parameters.get("wte.weight"), { transposeB: true }); // [M, V], tied head
  graph.output("log_probabilities", log(softmax(logits)));
  return graph;
}
