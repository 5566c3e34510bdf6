import { zeros, type Tensor } from "../../base/index.js";
import { add, expand, type Graph, type Value } from "../../graph/index.js";

/** Name of the resident sum of a parameter's gradient. */
export function accumulatorName(name: string): string {
  return `grad/${name}`;
}

/** Accumulators at zero, one per parameter. */
export function accumulators(shapes: Readonly<Record<string, readonly number[]>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, dims]) => [accumulatorName(name), zeros("float32", dims)]),
  );
}

/** Emits `grad/NAME += gradient` for every parameter: one chunk's part of a batch. */
export function accumulate(graph: Graph, gradients: Readonly<Record<string, Value>>): void {
  for (const [name, gradient] of Object.entries(gradients)) {
    const sum = graph.state(accumulatorName(name), "float32", gradient.shape);
    graph.update(accumulatorName(name), add(sum, gradient));
  }
}

/** Declares the accumulated gradients of these parameters and resets them to zero after the run. */
export function takeAccumulated(graph: Graph, parameters: Readonly<Record<string, Value>>): Record<string, Value> {
  const taken: Record<string, Value> = {};
  for (const [name, { shape }] of Object.entries(parameters)) {
    taken[name] = graph.state(accumulatorName(name), "float32", shape);
    graph.update(accumulatorName(name), expand(graph.constant(0), shape));
  }
  return taken;
}
