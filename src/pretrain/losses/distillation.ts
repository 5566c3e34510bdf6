import { UserError } from "../../base/index.js";
import {
  cast,
  concat,
  dimension,
  div,
  equal,
  exp,
  gather,
  iota,
  less,
  logSumExp,
  matmul,
  mul,
  reduceSum,
  reshape,
  sub,
  type Value,
} from "../../graph/index.js";

/** How a teacher's vectors are learned from. */
export interface Distillation {
  /** `scores`: its distribution over the other side of the batch; `embeddings`: the vectors themselves. */
  readonly kind: "scores" | "embeddings";
  /** What is added to the loss is multiplied by this. */
  readonly weight: number;
  /** With `scores`, of both distributions. */
  readonly temperature: number;
  /** Numbers of a teacher's vector. */
  readonly dim: number;
}

/** Vectors of the pairs by the teacher, unit vectors: constants to the gradient. */
export interface TeacherVectors {
  /** float32 [N, D] */
  readonly text: Value;
  /** float32 [N, D] */
  readonly code: Value;
}

/** Taken off the similarities (over tau) of an anchor to its own side. */
const EXCLUDED = 1e9;

/**
 * What a student still has to learn of its teacher, not multiplied by the weight: the mean over the 2N anchors (texts, then
 * codes) of
 *
 *     scores:      KL(p || q) = sum_k p_k (log p_k - log q_k),  p = softmax_k(t_i.t_k / tau),  q = softmax_k(h_i.h_k / tau)
 *                  over the N vectors k of the other side (Hinton et al. 2015, with one temperature for both)
 *     embeddings:  1 - h_i.t_i
 *
 * @param text float32 [N, H], the student's unit vectors; `code` alike
 * @param anchors only these of the 2N, int32 [B]: the parts of all anchors add up
 * @returns float32 scalar
 * @throws UserError `teacher.dimension` where `embeddings` have another width
 */
export function distillationLoss(
  text: Value,
  code: Value,
  teacher: TeacherVectors,
  { kind, temperature, dim }: Distillation,
  anchors?: Value,
): Value {
  const count = text.shape[0]!;
  const pairs = typeof count === "number" ? text.graph.constant(count, "int32") : dimension(text.graph, count);
  const some = (of: Value): Value => (anchors === undefined ? of : gather(of, anchors));
  const student = concat([text, code], 0); // [2N, H]
  const teaching = concat([teacher.text, teacher.code], 0); // [2N, D]
  const mean = (values: Value): Value => div(reduceSum(values), mul(cast(pairs, "float32"), 2));
  if (kind === "embeddings") {
    requireDimension(dim, text.shape[1]);
    const cosines = reduceSum(mul(some(student), some(teaching)), [1]); // [B]
    return mean(sub(1, cosines));
  }
  const all = student.shape[0]!;
  const side = cast(less(iota(text.graph, all), pairs), "int32"); // [2N]: 1 for a text
  const own = some(side);
  const rows = own.shape[0]!;
  const excluded = mul(cast(equal(reshape(own, [rows, 1]), reshape(side, [1, all])), "float32"), EXCLUDED); // [B, 2N]
  const logarithms = (vectors: Value): Value => {
    const s = sub(matmul(some(vectors), vectors, { transposeB: true, alpha: 1 / temperature }), excluded);
    return sub(s, reshape(logSumExp(s), [rows, 1]));
  };
  const logP = logarithms(teaching);
  return mean(reduceSum(mul(exp(logP), sub(logP, logarithms(student))), [1]));
}

/** @throws UserError `teacher.dimension` */
export function requireDimension(dim: number, width: unknown): void {
  if (dim === width) return;
  throw new UserError(
    "teacher.dimension",
    `stage 2 config: teacher: expected vectors of the model's width ${String(width)} for embeddings, got ${dim}`,
    { fix: 'Set teacher.kind to "scores", which takes any width, or train a model as wide as the teacher' },
  );
}
