import type { Tensor } from "../../base/index.js";
import { sameShape, sizeOf } from "../dims.js";
import { reachable } from "../_reachable.js";
import type { Graph, Node, NodeOf, Value } from "../graph.js";
import { Emitter, type OnnxNode, type OnnxTarget } from "./_emitter.js";
import { gemm } from "./_matmul.js";
import { LOWERINGS } from "./index.js";
import type { Lowering } from "./_lowering.js";
import { scatterRowsInto } from "./indexing.js";
import type { OpName } from "../ops/signatures.js";

export interface LoweredGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initialisers: ReadonlyMap<string, Tensor>;
}

/** Lowers every node that an output needs; `results` are the names that must exist, each with its value. */
export function lowerGraph(graph: Graph, results: ReadonlyMap<string, Value>, target: OnnxTarget): LoweredGraph {
  const emitter = new Emitter(target);
  const names = new Map<Value, string>();
  for (const [name, value] of [...graph.inputs, ...graph.states]) {
    names.set(value, name);
    emitter.carry(name, value.shape);
  }
  const nameOf = (value: Value): string => {
    const known = names.get(value);
    if (known !== undefined) return known;
    if (value.origin.kind !== "constant") throw new Error(`internal: ${graph.name}: a value is used before it is made`);
    const name = emitter.constant(value.origin.tensor);
    names.set(value, name);
    return name;
  };
  const nodes = reachable(graph, results.values());
  const uses = countUses(nodes, results.values());
  for (const node of nodes) {
    emitter.enter(node.scope, node.op);
    const fused = node.op === "add" ? lowerFusedAdd(emitter, node, nameOf, uses) : undefined;
    const outputs = fused === undefined ? lowerNode(emitter, node, nameOf) : [fused];
    (node.outputs as readonly Value[]).forEach((value, index) => {
      names.set(value, outputs[index]!);
      emitter.carry(outputs[index]!, value.shape);
    });
  }
  return finish(emitter, new Map([...results].map(([name, value]) => [name, nameOf(value)])));
}

function lowerNode(emitter: Emitter, node: Node, nameOf: (value: Value) => string): readonly string[] {
  const inputs = (node.inputs as readonly Value[]).map(nameOf);
  // The table pairs each op with its own lowering; TypeScript cannot follow the pairing through a union.
  return (LOWERINGS[node.op] as Lowering<OpName>)(emitter, inputs, node as NodeOf<OpName>);
}

/** How often each value is read. */
function countUses(nodes: readonly Node[], results: Iterable<Value>): ReadonlyMap<Value, number> {
  const uses = new Map<Value, number>();
  const count = (value: Value): unknown => uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const node of nodes) (node.inputs as readonly Value[]).forEach(count);
  for (const value of results) count(value);
  return uses;
}

/**
 * Sums that ONNX does in one node: a linear layer's bias (Gemm), and rows scattered into a tensor that is there
 * already instead of into zeros. The term is read nowhere else; what was emitted for it is dropped as dead.
 */
function lowerFusedAdd(
  e: Emitter,
  { inputs: [a, b], outputs: [sum] }: NodeOf<"add">,
  nameOf: (value: Value) => string,
  uses: ReadonlyMap<Value, number>,
): string | undefined {
  for (const [term, other] of [
    [a, b],
    [b, a],
  ] as const) {
    if (term.origin.kind !== "node" || uses.get(term) !== 1) continue;
    const { node } = term.origin;
    if (node.op === "scatterAddRows" && sameShape(other.shape, term.shape)) {
      return scatterRowsInto(e, nameOf(other), nameOf(node.inputs[0]), nameOf(node.inputs[1]), node);
    }
    if (node.op === "matmul" && isLinear(node) && sameShape(other.shape, term.shape.slice(-1))) {
      const [x, weight] = node.inputs;
      const rows = sizeOf(x.shape.slice(0, -1));
      const flat = e.reshape(nameOf(x), x.shape, [rows, x.shape.at(-1)!]);
      const inputs = [flat, nameOf(weight), nameOf(other)];
      const product = gemm(e, inputs, false, node.params.transposeB, node.params.alpha);
      return e.reshape(product, [rows, sum.shape.at(-1)!], sum.shape);
    }
  }
  return undefined;
}

/** Rows times one matrix. */
function isLinear({ inputs: [, weight], params }: NodeOf<"matmul">): boolean {
  return weight.shape.length === 2 && !params.transposeA;
}

/** Gives the results their names, and drops nodes and constants that nothing needs. */
function finish(emitter: Emitter, results: ReadonlyMap<string, string>): LoweredGraph {
  const made = new Set(emitter.nodes.flatMap((node) => node.outputs));
  const renamed = new Map<string, string>();
  const extra: OnnxNode[] = [];
  for (const [name, source] of results) {
    // A result that is an input, a constant or a second name of another result needs a node of its own.
    if (made.has(source) && !renamed.has(source)) renamed.set(source, name);
    else {
      const copy = { opType: "Identity", domain: "", name: `copy/${name}`, attributes: {} };
      extra.push({ ...copy, inputs: [source], outputs: [name] });
    }
  }
  const rename = (name: string): string => renamed.get(name) ?? name;
  const nodes = [...emitter.nodes, ...extra].map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
  }));
  const needed = new Set<string>(results.keys());
  const live: OnnxNode[] = [];
  for (const node of nodes.reverse()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    for (const input of node.inputs) needed.add(input);
    live.push(node);
  }
  const initialisers = new Map([...emitter.initialisers].filter(([name]) => needed.has(name)));
  return { nodes: live.reverse(), initialisers };
}
