import { internalError, UserError } from "../base/index.js";
import { sameShape } from "./dims.js";
import { GRADIENTS } from "./gradients/index.js";
import type { GradientContext } from "./gradients/_rule.js";
import { showType, type Graph, type Node, type Value } from "./graph.js";
import { add, expand } from "./ops/index.js";
import type { OpName } from "./ops/signatures.js";

/**
 * Reverse-mode differentiation as a transform of the graph: appends the nodes that compute d loss / d w for each w of
 * `wrt` and returns their results, in order. The loss is a scalar; for any other value give `seed`, the gradient of
 * whatever comes after it, in the loss's own type (a vector-Jacobian product). A w that the loss does not depend on
 * gets zeros. The call is also recorded in `graph.differentiations`.
 *
 * @throws UserError `gradient.loss` if the loss is no float scalar and there is no fitting seed,
 *   `gradient.unsupported` if an op on the way has no rule (second derivatives of fused ops).
 */
export function gradients(loss: Value, wrt: readonly Value[], seed?: Value): Value[] {
  const graph = loss.graph;
  checkLoss(loss, seed);
  const dependent = dependents(graph, wrt);
  const adjoints = new Map<Value, Value>();
  adjoints.set(loss, seed ?? graph.constant(1, loss.dtype));
  // Only what stood before this call; the rules append behind it.
  const forward = graph.nodes.slice();
  for (let index = forward.length - 1; index >= 0; index--) {
    const node = forward[index]!;
    const outputs = node.outputs as readonly Value[];
    if (!outputs.some((output) => adjoints.has(output) && dependent.has(output))) continue;
    graph.onBehalfOf(node, "grad", () => propagate(node, adjoints, dependent));
  }
  const results = wrt.map((value) => adjoints.get(value) ?? expand(graph.constant(0, value.dtype), value.shape));
  const nodes = [forward.length, graph.nodes.length] as const;
  graph.differentiations.push({ loss, wrt: [...wrt], results, ...(seed === undefined ? {} : { seed }), nodes });
  return results;
}

function checkLoss(loss: Value, seed: Value | undefined): void {
  const wanted = seed ?? { dtype: "float32", shape: [] };
  if (loss.dtype !== wanted.dtype || !sameShape(loss.shape, wanted.shape)) {
    throw new UserError("gradient.loss", `gradients: expected a loss ${showType(wanted)}, got ${showType(loss)}`, {
      fix: "Reduce the loss to a scalar, or give a seed of its type.",
    });
  }
}

/** All floating point values that depend on one of `wrt`; gradients flow through these only. */
function dependents(graph: Graph, wrt: readonly Value[]): ReadonlySet<Value> {
  const result = new Set<Value>(wrt);
  for (const node of graph.nodes) {
    if (GRADIENTS[node.op] === "none") continue;
    if (!(node.inputs as readonly Value[]).some((input) => result.has(input))) continue;
    for (const output of node.outputs as readonly Value[]) {
      if (output.dtype === "float32" || output.dtype === "float16") result.add(output);
    }
  }
  return result;
}

function propagate(node: Node, adjoints: Map<Value, Value>, dependent: ReadonlySet<Value>): void {
  const rule = GRADIENTS[node.op];
  if (rule === "none") throw internalError(`gradients: a value depends on ${node.op}, which has no gradient`);
  if (rule === "unsupported") {
    throw new UserError(
      "gradient.unsupported",
      `gradients: expected ops with a gradient rule, got ${node.op} (at ${node.location()})`,
      { fix: "Second derivatives go through the composed form of the op." },
    );
  }
  const inputs = node.inputs as readonly Value[];
  const wanted = inputs.map((input) => dependent.has(input));
  const outputGradients = (node.outputs as readonly Value[]).map((output) => adjoints.get(output));
  const context = { node, gradients: outputGradients, wanted } as unknown as GradientContext<OpName>;
  // The table pairs each op with the rule for its own context; TypeScript cannot follow the pairing through a union.
  const results = (rule as (context: GradientContext<OpName>) => readonly (Value | undefined)[])(context);
  results.forEach((gradient, index) => {
    const input = inputs[index]!;
    if (gradient === undefined || wanted[index] !== true) return;
    if (!sameShape(gradient.shape, input.shape)) {
      throw internalError(`gradient of ${node.op}: expected ${showType(input)}, got ${showType(gradient)}`);
    }
    const known = adjoints.get(input);
    adjoints.set(input, known === undefined ? gradient : add(known, gradient));
  });
}
