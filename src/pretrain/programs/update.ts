import type { Tensor } from "../../base/index.js";
import { gradients, less, type Graph, type Value } from "../../graph/index.js";
import { isDecayed, isEmbedding, parameterShapes, type ModelConfig, type Parameters } from "../../model/index.js";
import { LOG_TEMPERATURE, temperatureOf, type LossParameters } from "../losses/index.js";
import { adamw, clipByGlobalNorm, type Optimizer } from "../optimizer/index.js";

const LARGEST_FLOAT = 3.4028234663852886e38;

/** How gradients become updates. The learning rate itself arrives with every batch. */
export interface UpdateOptions {
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
  /** Largest global gradient norm; null does not clip. */
  readonly clip: number | null;
  /** Learning rate of the embedding tables (tokens, positions, token weights) over that of the rest. Default 1. */
  readonly embeddingRate?: number;
  /** Leave the state as it is where the gradient is not finite. */
  readonly skipNotFinite?: boolean;
}

/** What a program trains for: stage 1 has no use for the pooling, stage 2 may have none for the last LayerNorm. */
export type Stage = "stage1" | "stage2";

const NO_LOSS_PARAMETERS: LossParameters = { initial: {}, shapes: {}, bounds: {} };

/** Shapes of the parameters that a stage's loss depends on, by name; those of the loss itself come last. */
export function trainedShapes(
  config: ModelConfig,
  stage: Stage,
  extra: LossParameters = NO_LOSS_PARAMETERS,
): Readonly<Record<string, readonly number[]>> {
  const idle = (name: string): boolean =>
    stage === "stage1" ? name.startsWith("pool.") : config.poolStates === "residual" && name.startsWith("ln_f.");
  const own = Object.entries(parameterShapes(config)).filter(([name]) => !idle(name));
  return { ...Object.fromEntries(own), ...extra.shapes };
}

/** The gradient of a scalar loss for every parameter of the stage. */
export function parameterGradients(
  loss: Value,
  parameters: Parameters,
  config: ModelConfig,
  stage: Stage,
  extra?: LossParameters,
): Record<string, Value> {
  const names = Object.keys(trainedShapes(config, stage, extra));
  const values = gradients(
    loss,
    names.map((name) => parameters.get(name)),
  );
  return Object.fromEntries(names.map((name, index) => [name, values[index]!]));
}

/** Declares the input `learning_rate`, clips, emits AdamW's update and the output `grad_norm` (before clipping). */
export function applyGradients(
  graph: Graph,
  parameters: Parameters,
  byName: Readonly<Record<string, Value>>,
  options: UpdateOptions,
  extra?: LossParameters,
): void {
  const learningRate = graph.input("learning_rate", "float32", []);
  const { norm, scale } = graph.scope("clip", () => clipByGlobalNorm(Object.values(byName), options.clip));
  const trained = Object.fromEntries(
    Object.entries(byName).map(([name, gradient]) => [name, { parameter: parameters.get(name), gradient }]),
  );
  // False for NaN as well.
  const applies = options.skipNotFinite === true ? less(norm, LARGEST_FLOAT) : undefined;
  optimizerOf(options, extra).update(graph, trained, learningRate, scale, applies);
  graph.output("grad_norm", norm);
}

/** The output `temperature`, as this update's loss had it, where the state holds a learned one. */
export function outputTemperature(graph: Graph, { values }: Parameters): void {
  const logarithm = values[LOG_TEMPERATURE];
  if (logarithm !== undefined) graph.output("temperature", temperatureOf(logarithm));
}

/** Parameters and the optimizer's tensors before the first step: what an engine is opened with. */
export function initialState(
  config: ModelConfig,
  parameters: Readonly<Record<string, Tensor>>,
  options: UpdateOptions,
  stage: Stage,
  extra: LossParameters = NO_LOSS_PARAMETERS,
): Record<string, Tensor> {
  return { ...parameters, ...extra.initial, ...optimizerOf(options).init(trainedShapes(config, stage, extra)) };
}

function optimizerOf(
  { betas, eps, weightDecay, embeddingRate = 1 }: UpdateOptions,
  { bounds }: LossParameters = NO_LOSS_PARAMETERS,
): Optimizer {
  const rateOf = (name: string): number => (isEmbedding(name) ? embeddingRate : 1);
  return adamw({ betas, eps, weightDecay, decays: isDecayed, rateOf, boundsOf: (name) => bounds[name] });
}
