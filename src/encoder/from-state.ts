import { createEngine, type EngineName, type EngineOptions } from "../engine/index.js";
import type { Graph } from "../graph/index.js";
import type { ModelConfig } from "../model/index.js";
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
  options: EngineOptions & { readonly engine?: EngineName } = {},
): Promise<Encoder> {
  const { config, tokenizer } = parts;
  checkTokenizer(config, tokenizer);
  const { engine = "onnxruntime", ...engineOptions } = options;
  const weights = pickWeights((await import("../model/index.js")).parameterShapes(config), parts.weights);
  const programs = { embed: await embeddingGraph(config) };
  return new Encoder(config, tokenizer, await createEngine(engine).open(programs, weights, engineOptions), "embed");
}

/** `encoderGraph` with the sentence embedding as its only output: states of every token need not be copied out. */
async function embeddingGraph(config: ModelConfig): Promise<Graph> {
  // Loaded here, since embedding from a model folder does without these rooms.
  const [{ Graph }, model] = await Promise.all([import("../graph/index.js"), import("../model/index.js")]);
  const graph = new Graph("embed");
  const inputIds = graph.input("input_ids", "int64", ["B", "T"]);
  const attentionMask = graph.input("attention_mask", "int64", ["B", "T"]);
  const parameters = model.declareParameters(graph, config);
  const states = model.encode(parameters, config, { inputIds, attentionMask });
  const pooled = model.pool(parameters, config, states, inputIds, attentionMask);
  graph.output("sentence_embedding", model.normalise(pooled));
  return graph;
}
