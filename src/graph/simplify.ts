import { internalError, toBytes } from "../base/index.js";
import { reachable } from "./_reachable.js";
import { Graph, type Differentiation, type Node, type Value } from "./graph.js";

/** Constants up to this many bytes are compared by content. */
const SMALL = 1024;

/**
 * A copy of the graph without common subexpressions, dead nodes and arithmetic that does nothing (x + 0, x * 1).
 * Inputs, states and names of outputs stay. Differentiations stay with those of their results that something still
 * uses; their losses and seeds are kept alive, so that an engine may differentiate by itself.
 */
export function simplify(graph: Graph): Graph {
  const copy = new Graph(graph.name);
  const map = new Map<Value, Value>();
  for (const [name, input] of graph.inputs) map.set(input, copy.input(name, input.dtype, input.shape));
  for (const [name, state] of graph.states) map.set(state, copy.state(name, state.dtype, state.shape));
  const results = [...graph.outputs.values(), ...graph.updates.values()];
  const records = liveRecords(graph, results);
  const roots = [
    ...results,
    ...records.flatMap(({ loss, wrt, seed }) => [loss, ...wrt, ...(seed === undefined ? [] : [seed])]),
  ];
  const constants = new Map<string, Value>();
  const copyOf = (value: Value): Value => {
    const known = map.get(value);
    if (known !== undefined) return known;
    if (value.origin.kind !== "constant") throw internalError("simplify: a value is used before it is made");
    const made = copyConstant(copy, value, constants);
    map.set(value, made);
    return made;
  };
  const made = new Map<string, readonly Value[]>();
  for (const node of reachable(graph, roots)) {
    const inputs = (node.inputs as readonly Value[]).map(copyOf);
    const outputs = node.outputs as readonly Value[];
    const same = withoutEffect(node, inputs);
    const key = `${node.op} ${JSON.stringify(node.params)} ${inputs.map(({ id }) => id).join(" ")}`;
    const copies = same === undefined ? (made.get(key) ?? copyNode(copy, node, inputs)) : [same];
    if (same === undefined) made.set(key, copies);
    outputs.forEach((output, index) => map.set(output, copies[index]!));
  }
  for (const [name, value] of graph.outputs) copy.output(name, copyOf(value));
  for (const [name, value] of graph.updates) copy.update(name, copyOf(value));
  for (const { loss, wrt, results: gradients, seed } of records) {
    copy.differentiations.push({
      loss: copyOf(loss),
      wrt: wrt.map(copyOf),
      results: gradients.map(copyOf),
      ...(seed === undefined ? {} : { seed: copyOf(seed) }),
    });
  }
  return copy;
}

/** The records, each cut down to the results that are still needed (and whose values are there to be needed). */
function liveRecords(graph: Graph, results: readonly Value[]): readonly Differentiation[] {
  const nodes = reachable(graph, results);
  const read = new Set<Value>([...results, ...nodes.flatMap((node) => node.inputs as readonly Value[])]);
  const live: Differentiation[] = [];
  for (const record of graph.differentiations) {
    const kept = record.results.flatMap((result, index) => (read.has(result) ? [index] : []));
    if (kept.length === 0) continue;
    const pick = (values: readonly Value[]): Value[] => kept.map((index) => values[index]!);
    live.push({ ...record, wrt: pick(record.wrt), results: pick(record.results) });
  }
  return live;
}

function copyConstant(copy: Graph, value: Value, known: Map<string, Value>): Value {
  if (value.origin.kind !== "constant") throw internalError("simplify: expected a constant");
  const { tensor } = value.origin;
  const bytes = toBytes(tensor);
  if (bytes.length > SMALL) return copy.constant(tensor);
  const key = `${tensor.dtype} ${tensor.dims.join(",")} ${Buffer.from(bytes).toString("hex")}`;
  const made = known.get(key) ?? copy.constant(tensor);
  known.set(key, made);
  return made;
}

/** The input that a node only hands on. */
function withoutEffect(node: Node, inputs: readonly Value[]): Value | undefined {
  if (node.op !== "add" && node.op !== "mul") return undefined;
  const [a, b] = inputs;
  const [output] = node.outputs;
  const neutral = node.op === "add" ? 0 : 1;
  const isNeutral = ({ origin }: Value): boolean =>
    origin.kind === "constant" && origin.tensor.dims.length === 0 && Number(origin.tensor.data[0]) === neutral;
  if (isNeutral(b!) && a!.shape.length === output.shape.length) return a;
  if (isNeutral(a!) && b!.shape.length === output.shape.length) return b;
  return undefined;
}

function copyNode(copy: Graph, node: Node, inputs: readonly Value[]): readonly Value[] {
  const { scope, location } = node;
  return copy.append(node.op, node.params as never, inputs as never, node.outputs, {
    scope,
    location,
  }) as readonly Value[];
}
