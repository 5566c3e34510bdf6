import type { Tensor } from "../base/index.js";
import { showShape } from "./dims.js";
import type { Graph, Node, Value } from "./graph.js";

/**
 * The printed form of a graph: one line per input, state, node, output and update, values numbered by first mention, so
 * that it depends on the mathematics only. Snapshots of it make a change of the maths visible in a review.
 *
 *     graph mean
 *       input x: float32[B, 4]
 *       %0 = reduceMean(x) {axes: [1], keepDims: false} : float32[B]
 *       output y = %0
 */
export function printGraph(graph: Graph): string {
  const names = new Map<Value, string>();
  const nameOf = (value: Value): string => {
    const { origin } = value;
    if (origin.kind === "input" || origin.kind === "state") return origin.name;
    if (origin.kind === "constant") return showTensor(origin.tensor);
    const known = names.get(value);
    if (known !== undefined) return known;
    const name = `%${names.size}`;
    names.set(value, name);
    return name;
  };
  const lines = [`graph ${graph.name}`];
  for (const [name, value] of graph.inputs) lines.push(`  input ${name}: ${value.dtype}${showShape(value.shape)}`);
  for (const [name, value] of graph.states) lines.push(`  state ${name}: ${value.dtype}${showShape(value.shape)}`);
  let scope = "";
  for (const node of graph.nodes) {
    if (node.scope !== scope) lines.push(`  # ${node.scope === "" ? "(top)" : node.scope}`);
    scope = node.scope;
    lines.push(`  ${showNode(node, nameOf)}`);
  }
  for (const [name, value] of graph.outputs) lines.push(`  output ${name} = ${nameOf(value)}`);
  for (const [name, value] of graph.updates) lines.push(`  update ${name} = ${nameOf(value)}`);
  return lines.join("\n") + "\n";
}

function showNode(node: Node, nameOf: (value: Value) => string): string {
  const inputs = (node.inputs as readonly Value[]).map(nameOf).join(", ");
  const outputs = node.outputs as readonly Value[];
  const left = outputs.map(nameOf).join(", ");
  const right = outputs.map((output) => `${output.dtype}${showShape(output.shape)}`).join(", ");
  const params = Object.entries(node.params).map(([key, value]) => `${key}: ${showParam(value)}`);
  return `${left} = ${node.op}(${inputs})${params.length === 0 ? "" : ` {${params.join(", ")}}`} : ${right}`;
}

function showParam(value: unknown): string {
  return Array.isArray(value) ? showShape(value as (number | string)[]) : String(value);
}

/** Small constants in full, large ones by type. */
function showTensor(value: Tensor): string {
  if (value.dims.length === 0) return showNumber(value.data[0]!);
  const type = `${value.dtype}${showShape(value.dims)}`;
  return value.data.length > 8
    ? `constant ${type}`
    : `${type}(${Array.from<number | bigint>(value.data).map(showNumber).join(", ")})`;
}

/** As many digits as float32 has: 0.1, not 0.10000000149011612. */
function showNumber(value: number | bigint): string {
  return typeof value === "bigint" ? String(value) : String(Number(value.toPrecision(7)));
}
