import { Graph, type Dim, type Value } from "../../graph/index.js";
import { declareParameters, type ModelConfig, type Parameters } from "../../model/index.js";
import { contrastiveLoss, type ContrastiveOptions } from "../losses/index.js";
import { declareSide, dropoutKey, embedSide } from "./inputs.js";
import { applyGradients, parameterGradients, type UpdateOptions } from "./update.js";

/** Sizes of a stage 2 batch: pairs and tokens of either side. Symbolic unless given. */
export interface Stage2Dims {
  readonly pairs?: Dim;
  readonly textLength?: Dim;
  readonly codeLength?: Dim;
}

/** Dropout streams of the two sides of a pair. */
export const STREAMS = { text: 0, code: 1 } as const;

/**
 * One training step of stage 2.
 *
 * Inputs: `text_ids`, `text_segments` int32 [N, Tt] and `code_ids`, `code_segments` int32 [N, Tc] (segments 1 = real,
 * 0 = padding), row i of both a pair; `row_ids` int32 [N], `dropout_key` int32 [2], `learning_rate` float32 [].
 * Outputs: `loss`, `grad_norm`, `accuracy`, `positive_similarity`, `hardest_negative_similarity`.
 */
export function stage2Step(
  config: ModelConfig,
  contrastive: ContrastiveOptions,
  update: UpdateOptions,
  dims: Stage2Dims = {},
): Graph {
  const graph = new Graph("stage2-step");
  const { parameters, loss } = stage2Forward(graph, config, contrastive, dims, true);
  applyGradients(graph, parameters, parameterGradients(loss, parameters, config, "stage2"), update);
  return graph;
}

/** Loss and metrics without dropout and without an update; inputs as {@link stage2Step} but for the last three. */
export function stage2Evaluate(config: ModelConfig, contrastive: ContrastiveOptions, dims: Stage2Dims = {}): Graph {
  const graph = new Graph("stage2-evaluate");
  stage2Forward(graph, config, contrastive, dims, false);
  return graph;
}

function stage2Forward(
  graph: Graph,
  config: ModelConfig,
  contrastive: ContrastiveOptions,
  { pairs = "N", textLength = "Tt", codeLength = "Tc" }: Stage2Dims,
  training: boolean,
): { readonly parameters: Parameters; readonly loss: Value } {
  const sides = {
    text: declareSide(graph, "text", pairs, textLength),
    code: declareSide(graph, "code", pairs, codeLength),
  };
  const dropout = training ? { key: dropoutKey(graph), rows: graph.input("row_ids", "int32", [pairs]) } : undefined;
  const parameters = declareParameters(graph, config);
  const vectors = (side: "text" | "code"): Value =>
    graph.scope(side, () =>
      embedSide(parameters, config, sides[side], dropout && { ...dropout, stream: STREAMS[side] }),
    );
  const [text, code] = [vectors("text"), vectors("code")];
  const { loss, metrics } = graph.scope("loss", () => contrastiveLoss(text, code, contrastive));
  graph.output("loss", loss);
  for (const [name, value] of Object.entries(metrics)) graph.output(name, value);
  return { parameters, loss };
}
