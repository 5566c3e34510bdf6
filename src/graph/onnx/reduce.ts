import type { reduceShapes } from "../ops/reduce.js";
import type { ReduceParams } from "../ops/signatures.js";
import type { Emitter } from "./_emitter.js";
import type { Lowerings } from "./_lowering.js";

function reduction(opType: string) {
  return (e: Emitter, [x]: readonly [string], { params }: { readonly params: ReduceParams }): readonly [string] => [
    // No axes means "nothing" to us and "all" to ONNX.
    params.axes.length === 0 ? x : e.op(opType, [x, e.int64s(params.axes)], { keepdims: params.keepDims ? 1 : 0 }),
  ];
}

export const reduceLowerings: Lowerings<keyof typeof reduceShapes> = {
  reduceSum: reduction("ReduceSum"),
  reduceMean: reduction("ReduceMean"),
  reduceMax: reduction("ReduceMax"),
  argmax: (e, [x], { params }) => [e.cast(e.op("ArgMax", [x], { axis: params.axis, keepdims: 0 }), "int64", "int32")],
  logSumExp: (e, [x]) => {
    if (e.target === "torch") return [e.op("ReduceLogSumExp", [x, e.int64s([-1])], { keepdims: 0 })];
    // ReduceLogSumExp takes 10x as long in ONNX Runtime as these passes.
    const largest = e.op("ReduceMax", [x, e.int64s([-1])], { keepdims: 1 });
    const sum = e.op("ReduceSum", [e.op("Exp", [e.op("Sub", [x, largest])]), e.int64s([-1])], { keepdims: 1 });
    return [e.op("Squeeze", [e.op("Add", [e.op("Log", [sum]), largest]), e.int64s([-1])])];
  },
};
