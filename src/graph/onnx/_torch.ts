import type { Node, NodeOf, Value } from "../graph.js";
import { LODESTONE, type Attribute, type Emitter } from "./_emitter.js";
import { madeBy, type FusionContext } from "./_pattern.js";

/** Key, rows, sizes of the axes between and of the last axis: what a mask of the torch target is made of. */
export function maskInputs(e: Emitter, key: string, rows: string, { params }: NodeOf<"dropoutMask">): string[] {
  return [key, rows, e.shape(params.shape.slice(1, -1)), e.shape(params.shape.slice(-1))];
}

/** The rate as text, all its digits: ONNX's FLOAT would move the threshold. */
export function maskAttributes({ params }: NodeOf<"dropoutMask">): Record<string, Attribute> {
  return { place: params.place, rate: String(params.rate) };
}

/** What the torch target does in one op: attention, and dropout where its mask is multiplied in. */
export function torchFusion(context: FusionContext, node: Node): string | undefined {
  if (node.op === "matmul") return attention(context, node);
  return node.op === "mul" ? dropout(context, node) : undefined;
}

function dropout({ emitter: e, nameOf }: FusionContext, { inputs: [a, b] }: NodeOf<"mul">): string | undefined {
  for (const [x, factor] of [
    [a, b],
    [b, a],
  ] as const) {
    const mask = madeBy("dropoutMask", factor);
    if (mask === undefined || x.shape.join() !== factor.shape.join()) continue;
    const [key, rows] = mask.inputs;
    const inputs = [nameOf(x), ...maskInputs(e, nameOf(key), nameOf(rows), mask)];
    return e.op("Dropout", inputs, maskAttributes(mask), LODESTONE);
  }
  return undefined;
}

/** (dropout of) softmax(alpha q k' (+ bias)) times v: four axes, one op. A bias is a part of the batch, not learned. */
function attention({ emitter: e, nameOf }: FusionContext, node: NodeOf<"matmul">): string | undefined {
  const [weights, v] = node.inputs;
  const { transposeA, transposeB, alpha: outer } = node.params;
  if (weights.shape.length !== 4 || v.shape.length !== 4 || transposeA || transposeB || outer !== 1) return undefined;
  const dropped = madeBy("mul", weights);
  const mask = dropped?.inputs.map((value) => madeBy("dropoutMask", value)).find((made) => made !== undefined);
  const probabilities = dropped === undefined ? weights : dropped.inputs.find((x) => madeBy("softmax", x));
  if (probabilities === undefined || (dropped !== undefined && mask === undefined)) return undefined;
  const softmax = madeBy("softmax", probabilities);
  if (softmax === undefined) return undefined;
  const sum = madeBy("add", softmax.inputs[0]);
  const scores = sum === undefined ? softmax.inputs[0] : sum.inputs.find((x) => isScores(x));
  const product = scores === undefined ? undefined : madeBy("matmul", scores);
  if (product === undefined || !isScores(scores!)) return undefined;
  const bias = sum?.inputs.find((x) => x !== scores);
  if (bias !== undefined && dependsOnState(bias)) return undefined;
  const [q, k] = product.inputs;
  const inputs = [nameOf(q), nameOf(k), nameOf(v), ...(bias === undefined ? [] : [nameOf(bias)])];
  const attributes = { alpha: { float: product.params.alpha }, biased: bias === undefined ? 0 : 1 };
  if (mask === undefined) return e.op("Attention", inputs, attributes, LODESTONE);
  const [key, rows] = mask.inputs;
  inputs.push(...maskInputs(e, nameOf(key), nameOf(rows), mask));
  return e.op("Attention", inputs, { ...attributes, ...maskAttributes(mask) }, LODESTONE);
}

/** alpha q k'. */
function isScores(value: Value): boolean {
  const product = madeBy("matmul", value);
  return product !== undefined && !product.params.transposeA && product.params.transposeB;
}

/** Whether a gradient could be wanted for it. */
function dependsOnState(value: Value, seen = new Set<Value>()): boolean {
  if (seen.has(value)) return false;
  seen.add(value);
  const { origin } = value;
  if (origin.kind !== "node") return origin.kind === "state";
  return (origin.node.inputs as readonly Value[]).some((input) => dependsOnState(input, seen));
}
