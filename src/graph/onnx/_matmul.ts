import { sizeOf, type Dim, type Shape } from "../dims.js";
import type { NodeOf } from "../graph.js";
import { MICROSOFT, type Emitter } from "./_emitter.js";

/** alpha A B for two matrices or batches of them; which ONNX nodes do it fastest was measured (docs/log.md). */
export function lowerMatmul(e: Emitter, a: string, b: string, node: NodeOf<"matmul">): string {
  const [left, right] = node.inputs;
  const { transposeA, transposeB, alpha } = node.params;
  if (left.shape.length === 2 && right.shape.length === 2) return product2d(e, a, b, node);
  if (right.shape.length === 2 && !transposeA) return rowsTimesMatrix(e, a, b, node);
  if (e.target === "standard") return batchedStandard(e, a, b, node);
  const turned =
    e.target === "onnxruntime" && transposeA && !transposeB && slowWhenTransposed(left.shape, right.shape, 4);
  if (turned) {
    // A^T B = (B^T A)^T: transposing the two thin matrices is cheaper than reading the square one by columns.
    const thin = swapLast(e, b, right.shape.length);
    const result = e.op("FusedMatMul", [thin, a], { alpha: { float: alpha } }, MICROSOFT);
    return swapLast(e, result, node.outputs[0].shape.length);
  }
  if (!transposeA && !transposeB && alpha === 1) return e.op("MatMul", [a, b]);
  const attributes = { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0, alpha: { float: alpha } };
  return e.op("FusedMatMul", [a, b], attributes, MICROSOFT);
}

/** Two matrices: Gemm takes transposes and alpha for free. */
function product2d(e: Emitter, a: string, b: string, node: NodeOf<"matmul">): string {
  const [left, right] = node.inputs;
  const { transposeA, transposeB, alpha } = node.params;
  if (e.target === "onnxruntime" && transposeA && !transposeB) {
    const [m, n] = [left.shape[1]!, right.shape[1]!];
    if (slowWhenTransposed(left.shape, right.shape, 8)) {
      return swapLast(e, gemm(e, [swapLast(e, b, 2), a], false, false, alpha), 2);
    }
    if (typeof m === "number" && typeof n === "number" && m <= 512 && n >= m) {
      return gemm(e, [swapLast(e, a, 2), b], false, false, alpha);
    }
  }
  return gemm(e, [a, b], transposeA, transposeB, alpha);
}

/** A' B' alpha (+ bias). */
export function gemm(
  e: Emitter,
  inputs: readonly string[],
  transposeA: boolean,
  transposeB: boolean,
  alpha: number,
): string {
  return e.op("Gemm", inputs, { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0, alpha: { float: alpha } });
}

/** [..., K] x [K, N]: one product over all rows. */
function rowsTimesMatrix(e: Emitter, a: string, b: string, node: NodeOf<"matmul">): string {
  const [left] = node.inputs;
  const flat: Shape = [sizeOf(left.shape.slice(0, -1)), left.shape.at(-1)!];
  const output = node.outputs[0].shape;
  const product = gemm(e, [e.reshape(a, left.shape, flat), b], false, node.params.transposeB, node.params.alpha);
  return e.reshape(product, [flat[0]!, output.at(-1)!], output);
}

/** A^T B where A^T is so much taller than B is wide that reading A by columns costs more than transposing twice. */
function slowWhenTransposed(a: Shape, b: Shape, ratio: number): boolean {
  const [m, n]: readonly (Dim | undefined)[] = [a.at(-1), b.at(-1)];
  return typeof m === "number" && typeof n === "number" && m >= ratio * n;
}

function batchedStandard(e: Emitter, a: string, b: string, node: NodeOf<"matmul">): string {
  const [left, right] = node.inputs;
  const { transposeA, transposeB, alpha } = node.params;
  const product = e.op("MatMul", [
    transposeA ? swapLast(e, a, left.shape.length) : a,
    transposeB ? swapLast(e, b, right.shape.length) : b,
  ]);
  return alpha === 1 ? product : e.op("Mul", [product, e.cast(e.number(alpha), "float32", left.dtype)]);
}

/** Transposes the last two axes. */
export function swapLast(e: Emitter, x: string, rank: number): string {
  const perm = Array.from({ length: rank }, (_, axis) => axis);
  [perm[rank - 2], perm[rank - 1]] = [rank - 1, rank - 2];
  return e.op("Transpose", [x], { perm });
}
