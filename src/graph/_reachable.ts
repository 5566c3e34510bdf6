import type { Graph, Node, Value } from "./graph.js";

/** The nodes that some of these values need, in the graph's order. */
export function reachable(graph: Graph, roots: Iterable<Value>): Node[] {
  const needed = new Set<Node>();
  const need = ({ origin }: Value): void => {
    if (origin.kind === "node") needed.add(origin.node);
  };
  for (const root of roots) need(root);
  for (let index = graph.nodes.length - 1; index >= 0; index--) {
    const node = graph.nodes[index]!;
    if (needed.has(node)) (node.inputs as readonly Value[]).forEach(need);
  }
  return graph.nodes.filter((node) => needed.has(node));
}
