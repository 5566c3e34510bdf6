import { internalError, type Tensor } from "../../base/index.js";
import { evaluateDim, type Graph, type Node, type Value } from "../../graph/index.js";
import { fromTensor, toTensor, type Dense } from "./_dense.js";
import type { Kernel } from "./_kernel.js";
import { KERNELS } from "./_kernels.js";

/** What a run of a graph gives. */
export interface Evaluation {
  readonly outputs: Record<string, Tensor>;
  readonly updates: Record<string, Tensor>;
}

/**
 * Computes a graph node by node, in float64; what leaves it is rounded to its dtype.
 *
 * @param values inputs and states by name
 * @param symbols the numbers of symbolic dimensions
 */
export function evaluate(
  graph: Graph,
  values: Readonly<Record<string, Tensor>>,
  symbols: ReadonlyMap<string, number>,
): Evaluation {
  const known = new Map<number, Dense>();
  const valueOf = (value: Value): Dense => {
    const found = known.get(value.id);
    if (found !== undefined) return found;
    const { origin } = value;
    if (origin.kind === "node") throw internalError(`value ${value.id} is used before it is made`);
    const made = fromTensor(origin.kind === "constant" ? origin.tensor : values[origin.name]!);
    known.set(value.id, made);
    return made;
  };
  const context = { size: (dim: number | string): number => evaluateDim(dim, symbols) };
  for (const node of graph.nodes) {
    const outputs = kernelOf(node)(node.inputs.map(valueOf), node.params, context);
    node.outputs.forEach((value, index) => known.set(value.id, outputs[index]!));
  }
  const tensors = (wanted: ReadonlyMap<string, Value>): Record<string, Tensor> =>
    Object.fromEntries([...wanted].map(([name, value]) => [name, toTensor(valueOf(value))]));
  return { outputs: tensors(graph.outputs), updates: tensors(graph.updates) };
}

/** The table pairs a node with the kernel of its own op; the compiler cannot follow that through a union. */
function kernelOf(
  node: Node,
): (inputs: readonly Dense[], params: unknown, context: Parameters<Kernel<"neg">>[2]) => readonly Dense[] {
  return KERNELS[node.op] as never;
}
