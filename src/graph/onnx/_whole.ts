import type { Differentiation, Fusion, Graph, Node, Value } from "../graph.js";
import { reachable } from "../_reachable.js";
import { LODESTONE, type Attribute, type Emitter, type OnnxTarget } from "./_emitter.js";

/** Many nodes in the place of which one is written: a gradient by the engine's own autograd, AdamW. */
export interface Whole {
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** What a program is made of, in topological order. */
export type Part = { readonly node: Node } | { readonly whole: Whole };

/** The parts that the results need; for targets other than `torch`, the nodes alone. */
export function partsOf(graph: Graph, results: ReadonlySet<Value>, target: OnnxTarget): Part[] {
  if (target !== "torch") return reachable(graph, results).map((node) => ({ node }));
  const wholes = wholesOf(graph);
  const needed = new Set<Value>(results);
  const parts: Part[] = [];
  const placed = new Set<Whole>();
  // Outputs come after inputs. A whole stands where its first output is made, which is after all of its inputs.
  for (let index = graph.nodes.length - 1; index >= 0; index--) {
    const node = graph.nodes[index]!;
    const outputs = node.outputs as readonly Value[];
    const owned = outputs.find((output) => wholes.has(output));
    const whole = owned === undefined ? undefined : wholes.get(owned)!;
    if (whole === undefined) {
      if (!outputs.some((output) => needed.has(output))) continue;
      for (const input of node.inputs as readonly Value[]) needed.add(input);
      parts.push({ node });
      continue;
    }
    const first = Math.min(...whole.outputs.map(({ origin }) => (origin.kind === "node" ? origin.node.id : index)));
    if (index > first || placed.has(whole) || !whole.outputs.some((output) => needed.has(output))) continue;
    placed.add(whole);
    for (const input of whole.inputs) needed.add(input);
    parts.push({ whole });
  }
  return parts.reverse();
}

/** Emits a whole; gives the names of its outputs. */
export function emitWhole(e: Emitter, whole: Whole, nameOf: (value: Value) => string): readonly string[] {
  e.enter({ scope: "", op: whole.op as Node["op"], location: () => whole.op });
  const { op, inputs, outputs, attributes } = whole;
  return e.ops(op, inputs.map(nameOf), outputs.length, attributes, LODESTONE);
}

/** The wholes of a graph by each of their outputs. */
function wholesOf(graph: Graph): ReadonlyMap<Value, Whole> {
  const wholes = new Map<Value, Whole>();
  const add = (whole: Whole): void => {
    for (const output of whole.outputs) wholes.set(output, whole);
  };
  const differentiations = graph.differentiations.filter(({ nodes }) => nodes !== undefined);
  // A gradient of a gradient needs the nodes of the first one.
  if (!differentiations.some((second) => differentiations.some((first) => within(graph, second, first)))) {
    for (const differentiation of differentiations) {
      const whole = gradientOf(differentiation);
      if (whole !== undefined) add(whole);
    }
  }
  for (const fusion of graph.fusions) {
    if (fusion.op === "AdamW" && !updatesOnly(graph, fusion)) continue;
    add({ ...fusion, attributes: exact(fusion.attributes) });
  }
  return wholes;
}

/** Whether the loss of `second` depends on nodes that the differentiation `first` made. */
function within(graph: Graph, second: Differentiation, first: Differentiation): boolean {
  const [from, to] = first.nodes!;
  return second !== first && reachable(graph, [second.loss]).some(({ id }) => id >= from && id < to);
}

/** Results that are no nodes of the call's own (zeros apart, a gradient may be a value of the forward pass) stay. */
function gradientOf({ loss, wrt, results, seed, nodes }: Differentiation): Whole | undefined {
  const [from, to] = nodes!;
  const chosen = results.flatMap(({ origin }, index) =>
    origin.kind === "node" && origin.node.id >= from && origin.node.id < to ? [index] : [],
  );
  const distinct = chosen.filter((index) => results.indexOf(results[index]!) === index);
  if (distinct.length === 0) return undefined;
  return {
    op: "Gradient",
    inputs: [loss, ...(seed === undefined ? [] : [seed]), ...distinct.map((index) => wrt[index]!)],
    outputs: distinct.map((index) => results[index]!),
    attributes: { seeded: seed === undefined ? 0 : 1 },
  };
}

/** AdamW changes its state in place at the end of a run: its results may be nothing but that. */
function updatesOnly(graph: Graph, { inputs, outputs }: Fusion): boolean {
  const next = [inputs[0]!, inputs[2]!, inputs[3]!].map(({ origin }) =>
    origin.kind === "state" ? graph.updates.get(origin.name) : undefined,
  );
  const named = [...graph.outputs.values()];
  return outputs.every((output, index) => next[index] === output && !named.includes(output));
}

/** As text, because ONNX's FLOAT loses digits: 1 - 0.999 would be wrong in the fifth. */
function exact(attributes: Readonly<Record<string, number>>): Record<string, Attribute> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)]));
}
