import { sizeOf, type Shape } from "../dims.js";
import type { Value } from "../graph.js";
import type { networkShapes } from "../ops/network.js";
import { lowerDropoutMask } from "./_dropout.js";
import { maskAttributes, maskInputs } from "./_torch.js";
import { LODESTONE, type Emitter } from "./_emitter.js";
import type { Lowerings } from "./_lowering.js";
import { lowerMatmul, gemm } from "./_matmul.js";

export const networkLowerings: Lowerings<keyof typeof networkShapes> = {
  matmul: (e, [a, b], node) => [lowerMatmul(e, a, b, node)],
  softmax: (e, [x]) => [e.op("Softmax", [x], { axis: -1 })],
  softmaxGrad: (e, [y, g]) => {
    const sum = e.op("ReduceSum", [e.op("Mul", [y, g]), e.int64s([-1])], { keepdims: 1 });
    return [e.op("Mul", [y, e.op("Sub", [g, sum])])];
  },
  softmaxCrossEntropy: (e, [logits, labels], { inputs }) => {
    if (e.target === "torch") {
      // The probabilities are the backward pass's: a program that differentiates them otherwise gets them made.
      return [e.op("SoftmaxCrossEntropy", [logits, labels], {}, LODESTONE), e.op("Softmax", [logits], { axis: -1 })];
    }
    const { loss, probabilities } = crossEntropy(e, logits, labels, inputs[1]);
    return [loss, probabilities];
  },
  softmaxCrossEntropyGrad: (e, [probabilities, labels, g], { inputs }) => {
    const [, label, gradient] = inputs;
    const column = e.reshape(g, gradient.shape, [...gradient.shape, 1]);
    const indices = e.reshape(e.index(labels, label), label.shape, [...label.shape, 1]);
    const scaled = e.op("Mul", [probabilities, column]);
    const minus = e.op("Neg", [column]);
    return [e.op("ScatterElements", [scaled, indices, minus], { axis: 1, reduction: "add" })];
  },
  linearCrossEntropy: (e, [x, table, labels], { inputs }) => {
    if (e.target === "torch") {
      const [loss, correct] = e.ops("LinearCrossEntropy", [x, table, labels], 2, {}, LODESTONE);
      return [loss!, correct!, e.op("Softmax", [gemm(e, [x, table], false, true, 1)], { axis: -1 })];
    }
    const logits = gemm(e, [x, table], false, true, 1);
    const { loss, probabilities, largest, ofLabel } = crossEntropy(e, logits, labels, inputs[2]);
    const wrong = e.op("Less", [ofLabel, largest]);
    const correct = e.cast(e.op("Not", [wrong]), "bool", "float32");
    return [loss, e.op("Squeeze", [e.cast(correct, "float32", inputs[0].dtype), e.int64s([1])]), probabilities];
  },
  layerNorm: (e, [x, scale, bias], { params }) => {
    const attributes = { axis: -1, epsilon: { float: params.eps } };
    const [y, mean, invStd] = e.ops("LayerNormalization", [x, scale, bias], 3, attributes);
    return [y!, mean!, invStd!];
  },
  layerNormGrad: (e, [x, scale, mean, invStd, g], { inputs }) => {
    const [value] = inputs;
    const rows = e.int64s(value.shape.slice(0, -1).map((_, axis) => axis));
    const centred = e.op("Mul", [e.op("Sub", [x, mean]), invStd]); // [..., H]
    const product = e.op("Mul", [g, centred]); // [..., H]
    const meanOf = rowMean(e, scale, value);
    const shifted = e.op("Sub", [e.op("Mul", [g, scale]), meanOf(g)]);
    const dx = e.op("Mul", [e.op("Sub", [shifted, e.op("Mul", [centred, meanOf(product)])]), invStd]);
    const sumRows = (name: string): string =>
      value.shape.length === 1 ? name : e.op("ReduceSum", [name, rows], { keepdims: 0 });
    return [dx, sumRows(product), sumRows(g)];
  },
  dropoutMask: (e, [key, rows], node) => [
    e.target === "torch"
      ? e.op("DropoutMask", maskInputs(e, key, rows, node), maskAttributes(node), LODESTONE)
      : lowerDropoutMask(e, key, rows, node),
  ],
  allGather: (e, [x], { params }) => [
    params.processes === 1 ? x : e.op("AllGather", [x], { processes: params.processes }, LODESTONE),
  ],
  reduceScatter: (e, [x], { params }) => [
    params.processes === 1 ? x : e.op("ReduceScatter", [x], { processes: params.processes }, LODESTONE),
  ],
};

/**
 * mean over the last axis of (value * scale), as a matrix-vector product: no pass that writes [..., H]. Gives
 * [..., 1].
 */
function rowMean(e: Emitter, scale: string, value: Value): (name: string) => string {
  const width = value.shape.at(-1)!;
  const flat: Shape = [sizeOf(value.shape.slice(0, -1)), width];
  const divisor = e.cast(e.op("Squeeze", [e.dim(width), e.int64s([0])]), "int64", value.dtype);
  const weights = e.op("Unsqueeze", [e.op("Div", [scale, divisor]), e.int64s([1])]); // [H, 1]
  return (name) => {
    const product = e.op("MatMul", [e.reshape(name, value.shape, flat), weights]);
    return e.reshape(product, [flat[0]!, 1], [...value.shape.slice(0, -1), 1]);
  };
}

/**
 * Loss [M] and probabilities [M, V] of logits [M, V]. log(sum(e^x)) comes from the largest probability, which never
 * underflows as that of the label may: it is e^(largest logit - logsumexp).
 */
function crossEntropy(e: Emitter, logits: string, labels: string, label: Value) {
  const column: Shape = [...label.shape, 1];
  const indices = e.reshape(e.index(labels, label), label.shape, column);
  const probabilities = e.op("Softmax", [logits], { axis: -1 });
  const rowMax = (x: string): string => e.op("ReduceMax", [x, e.int64s([-1])], { keepdims: 1 });
  const largest = rowMax(probabilities);
  const logSumExp = e.op("Sub", [rowMax(logits), e.op("Log", [largest])]);
  const ofLabel = e.op("GatherElements", [probabilities, indices], { axis: 1 });
  const loss = e.op("Sub", [logSumExp, e.op("GatherElements", [logits, indices], { axis: 1 })]);
  return { loss: e.op("Squeeze", [loss, e.int64s([1])]), probabilities, largest, ofLabel };
}
