import { internalError } from "../base/index.js";
import type { Graph, Value } from "../graph/index.js";
import type { ModelConfig } from "./config.js";
import { parameterShapes } from "./parameters.js";

/** A graph's parameters by name: resident float32 state. */
export class Parameters {
  constructor(readonly values: Readonly<Record<string, Value>>) {}

  /** A parameter; asking for one that the config has not is a bug of ours. */
  get(name: string): Value {
    const value = this.values[name];
    if (value === undefined) throw internalError(`parameter "${name}" is not part of this model`);
    return value;
  }
}

/** Declares every parameter of the config as state of the graph, once; towers that share weights share the result. */
export function declareParameters(graph: Graph, config: ModelConfig): Parameters {
  const shapes = Object.entries(parameterShapes(config));
  return new Parameters(Object.fromEntries(shapes.map(([name, shape]) => [name, graph.state(name, "float32", shape)])));
}
