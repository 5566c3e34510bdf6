import { Graph } from "../graph/index.js";
import { createEngine, type EngineOptions } from "../engine/index.js";
import { declareParameters, encode, normalise, parameterShapes, pool, type ModelConfig } from "../model/index.js";
import { Encoder } from "./encoder.js";
import { checkTokenizer, pickWeights, type EncoderParts } from "./save.js";

/**
 * An encoder straight from weights in memory, for evaluation while training. Gives the vectors that the saved folder
 * would give.
 *
 * @param parts.weights parameters under GPT-2's names; others (moments) are left out
 * @throws UserError `model.weights`, `model.wrong-tokenizer`, and those of the engine
 */
export async function encoderFromState(
  parts: EncoderParts,
  options: EngineOptions & { readonly engine?: Parameters<typeof createEngine>[0] } = {},
): Promise<Encoder> {
  const { config, tokenizer } = parts;
  checkTokenizer(config, tokenizer);
  const { engine = "onnxruntime", ...engineOptions } = options;
  const weights = pickWeights(parameterShapes(config), parts.weights);
  const session = await createEngine(engine).open({ embed: embeddingGraph(config) }, weights, engineOptions);
  return new Encoder(config, tokenizer, session, "embed");
}

/** `encoderGraph` with the sentence embedding as its only output: states of every token need not be copied out. */
function embeddingGraph(config: ModelConfig): Graph {
  const graph = new Graph("embed");
  const inputIds = graph.input("input_ids", "int64", ["B", "T"]);
  const attentionMask = graph.input("attention_mask", "int64", ["B", "T"]);
  const parameters = declareParameters(graph, config);
  const states = encode(parameters, config, { inputIds, attentionMask });
  graph.output("sentence_embedding", normalise(pool(parameters, config, states, inputIds, attentionMask)));
  return graph;
}
