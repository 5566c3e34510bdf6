import { madeBy, type FusionContext } from "./_pattern.js";
import { sameShape, sizeOf } from "../dims.js";
import type { Node, NodeOf, Value } from "../graph.js";
import { gemm } from "./_matmul.js";
import { torchFusion } from "./_torch.js";
import { scatterRowsInto } from "./indexing.js";

/**
 * Several of our nodes that fewer passes over memory compute: the name of the node's single output, or undefined where
 * nothing fits. What was emitted for a term that is now computed along the way is dropped as dead.
 */
export function lowerFused(context: FusionContext, node: Node): string | undefined {
  if (context.emitter.target === "torch") {
    const own = torchFusion(context, node);
    if (own !== undefined) return own;
  }
  if (node.op === "add") return linearOrScatter(context, node);
  if (node.op === "softmaxGrad" && context.emitter.target === "onnxruntime") return attentionGradient(context, node);
  return undefined;
}

/**
 * Sums that ONNX does in one node: a linear layer's bias (Gemm), and rows scattered into a tensor that is there
 * already instead of into zeros. The term is read nowhere else.
 */
function linearOrScatter(
  { emitter: e, nameOf, uses }: FusionContext,
  { inputs: [a, b], outputs: [sum] }: NodeOf<"add">,
): string | undefined {
  for (const [term, other] of [
    [a, b],
    [b, a],
  ] as const) {
    if (uses.get(term) !== 1) continue;
    const scatter = madeBy("scatterAddRows", term);
    // With autograd the scatter is not there: its result comes from a Gradient node.
    if (scatter !== undefined && e.target !== "torch" && sameShape(other.shape, term.shape)) {
      return scatterRowsInto(e, nameOf(other), nameOf(scatter.inputs[0]), nameOf(scatter.inputs[1]), scatter);
    }
    const product = madeBy("matmul", term);
    if (product !== undefined && isLinear(product) && sameShape(other.shape, term.shape.slice(-1))) {
      const [x, weight] = product.inputs;
      const rows = sizeOf(x.shape.slice(0, -1));
      const flat = e.reshape(nameOf(x), x.shape, [rows, x.shape.at(-1)!]);
      const { transposeB, alpha } = product.params;
      const result = gemm(e, [flat, nameOf(weight), nameOf(other)], false, transposeB, alpha);
      return e.reshape(result, [rows, sum.shape.at(-1)!], sum.shape);
    }
  }
  return undefined;
}

/** Rows times one matrix. */
function isLinear({ inputs: [, weight], params }: NodeOf<"matmul">): boolean {
  return weight.shape.length === 2 && !params.transposeA;
}

/**
 * The gradient of attention's scores. With P = softmax(S), Q = P * M (M a dropout mask, or nothing) and O = Q V, the
 * gradient of S is P * (g - rowsum(P * g)) for g = M * (dO V'). That row sum over [T, T] is also the one of O * dO over
 * [T, d], which is far smaller (Dao et al. 2022, FlashAttention, section 3.1), and P * g = Q * (dO V') needs no mask:
 * two or three passes over [T, T] less.
 */
function attentionGradient(context: FusionContext, node: NodeOf<"softmaxGrad">): string | undefined {
  const { emitter: e, nameOf } = context;
  const [p, g] = node.inputs;
  const masked = madeBy("mul", g);
  const plain = findMixture(context, node, p, g);
  if (plain !== undefined) {
    const difference = e.op("Sub", [nameOf(g), rowDot(context, plain)]);
    return e.op("Mul", [nameOf(p), difference]);
  }
  if (masked === undefined) return undefined;
  for (const [slope, mask] of [masked.inputs, masked.inputs.toReversed()] as (readonly [Value, Value])[]) {
    for (const reader of context.readers.get(p) ?? []) {
      if (reader.op !== "mul" || !reader.inputs.includes(mask) || !reader.inputs.includes(p)) continue;
      const [dropped] = reader.outputs;
      const mixture = sameShape(dropped.shape, p.shape) ? findMixture(context, node, dropped, slope) : undefined;
      if (mixture === undefined) continue;
      const product = e.op("Mul", [nameOf(dropped), nameOf(slope)]);
      return e.op("Sub", [product, e.op("Mul", [nameOf(p), rowDot(context, mixture)])]);
    }
  }
  return undefined;
}

interface Mixture {
  readonly output: Value;
  readonly gradient: Value;
}

/** O and dO where `weights` V = O, made before `node`, and `slope` = dO V', both with the same V and alpha. */
function findMixture({ readers }: FusionContext, node: Node, weights: Value, slope: Value): Mixture | undefined {
  const back = madeBy("matmul", slope);
  if (back === undefined || back.params.transposeA) return undefined;
  const [gradient, v] = back.inputs;
  for (const reader of readers.get(weights) ?? []) {
    if (reader.op !== "matmul" || reader.id > node.id) continue;
    const { transposeA, transposeB, alpha } = reader.params;
    const mirrored = !transposeA && transposeB !== back.params.transposeB && alpha === back.params.alpha;
    const [output] = reader.outputs;
    const fits = reader.inputs[0] === weights && reader.inputs[1] === v && sameShape(output.shape, gradient.shape);
    if (mirrored && fits) return { output, gradient };
  }
  return undefined;
}

/** rowsum(O * dO) [..., 1]. */
function rowDot({ emitter: e, nameOf }: FusionContext, { output, gradient }: Mixture): string {
  return e.op("ReduceSum", [e.op("Mul", [nameOf(output), nameOf(gradient)]), e.int64s([-1])], { keepdims: 1 });
}
