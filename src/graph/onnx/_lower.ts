import { internalError, type Tensor } from "../../base/index.js";
import type { Graph, Node, NodeOf, Value } from "../graph.js";
import { Emitter, type OnnxNode, type OnnxTarget } from "./_emitter.js";
import { lowerFused } from "./_fusions.js";
import type { FusionContext } from "./_pattern.js";
import { LOWERINGS } from "./index.js";
import type { Lowering } from "./_lowering.js";
import { emitWhole, partsOf, type Part } from "./_whole.js";
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
    if (value.origin.kind !== "constant") throw internalError(`${graph.name}: a value is used before it is made`);
    const name = emitter.constant(value.origin.tensor);
    names.set(value, name);
    return name;
  };
  const parts = partsOf(graph, new Set(results.values()), target);
  const context: FusionContext = { emitter, nameOf, ...readersOf(parts, results.values()) };
  const made = (values: readonly Value[], outputs: readonly string[]): void =>
    values.forEach((value, index) => {
      names.set(value, outputs[index]!);
      emitter.carry(outputs[index]!, value.shape);
    });
  for (const part of parts) {
    if ("whole" in part) {
      made(part.whole.outputs, emitWhole(emitter, part.whole, nameOf));
      continue;
    }
    const { node } = part;
    emitter.enter(node);
    const fused = lowerFused(context, node);
    made(node.outputs as readonly Value[], fused === undefined ? lowerNode(emitter, node, nameOf) : [fused]);
  }
  return finish(emitter, new Map([...results].map(([name, value]) => [name, nameOf(value)])));
}

function lowerNode(emitter: Emitter, node: Node, nameOf: (value: Value) => string): readonly string[] {
  const inputs = (node.inputs as readonly Value[]).map(nameOf);
  // The table pairs each op with its own lowering; TypeScript cannot follow the pairing through a union.
  return (LOWERINGS[node.op] as Lowering<OpName>)(emitter, inputs, node as NodeOf<OpName>);
}

/** Who reads each value, and how often it is read, results included. */
function readersOf(parts: readonly Part[], results: Iterable<Value>): Pick<FusionContext, "readers" | "uses"> {
  const readers = new Map<Value, Node[]>();
  const uses = new Map<Value, number>();
  const count = (value: Value): unknown => uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const part of parts) {
    if ("whole" in part) part.whole.inputs.forEach(count);
    else
      for (const input of part.node.inputs as readonly Value[]) {
        count(input);
        const { node } = part;
        const known = readers.get(input);
        if (known === undefined) readers.set(input, [node]);
        else known.push(node);
      }
  }
  for (const value of results) count(value);
  return { readers, uses };
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
