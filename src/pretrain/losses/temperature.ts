import { float32, type Tensor } from "../../base/index.js";
import { exp, reshape, type Graph, type Value } from "../../graph/index.js";

/** A temperature that is trained with the encoder, from `learn` on. */
export interface LearnedTemperature {
  readonly learn: number;
  /** After every update it is moved back into `[min, max]`. Defaults {@link TEMPERATURE_BOUNDS}. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** Smallest and largest learned temperature where the configuration names none; 0.01 is CLIP's. */
export const TEMPERATURE_BOUNDS = [0.01, 1] as const;

/** The state that holds the natural logarithm of a learned temperature, float32 [1]. */
export const LOG_TEMPERATURE = "loss.log_temperature";

/** Parameters of the loss itself: trained, kept in checkpoints, no part of the encoder. */
export interface LossParameters {
  /** Values before the first update. */
  readonly initial: Readonly<Record<string, Tensor>>;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** Where a parameter is moved back to after an update. */
  readonly bounds: Readonly<Record<string, readonly [low: number, high: number]>>;
}

/** What a temperature adds to the trained state. */
export function lossParameters(temperature: number | LearnedTemperature): LossParameters {
  if (typeof temperature === "number") return { initial: {}, shapes: {}, bounds: {} };
  const { learn, min = TEMPERATURE_BOUNDS[0], max = TEMPERATURE_BOUNDS[1] } = temperature;
  return {
    initial: { [LOG_TEMPERATURE]: float32([1], [Math.log(learn)]) },
    shapes: { [LOG_TEMPERATURE]: [1] },
    bounds: { [LOG_TEMPERATURE]: [Math.log(min), Math.log(max)] },
  };
}

/** Declares a learned temperature as state of the graph; nothing for a fixed one. */
export function declareLossParameters(graph: Graph, temperature: number | LearnedTemperature): Record<string, Value> {
  const { shapes } = lossParameters(temperature);
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, graph.state(name, "float32", shape)]));
}

/** tau of a declared logarithm: float32 scalar. */
export function temperatureOf(logarithm: Value): Value {
  return reshape(exp(logarithm), []);
}
