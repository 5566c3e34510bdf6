import type { DType } from "../../../base/index.js";
import type { elementwiseShapes } from "../../../graph/index.js";
import { broadcastDims, broadcastOffset, dense, eachIndex, empty, type Dense } from "../_dense.js";
import { fromFloat16, toFloat16 } from "../_float16.js";
import type { Kernels } from "../_kernel.js";

type One = readonly [Dense];
type Two = readonly [Dense, Dense];

const unary =
  (f: (x: number) => number) =>
  ([x]: One): One => [dense(x.dtype, x.dims, x.data.map(f))];

function zip(a: Dense, b: Dense, dtype: DType, f: (a: number, b: number) => number): Dense {
  const result = empty(dtype, broadcastDims(a.dims, b.dims));
  eachIndex(result.dims, (index, at) => {
    result.data[at] = f(a.data[broadcastOffset(a.dims, index)]!, b.data[broadcastOffset(b.dims, index)]!);
  });
  return result;
}

/** Integers wrap around at 32 bits, as every machine's do. */
const arithmetic =
  (f: (a: number, b: number) => number, integer: (a: number, b: number) => number) =>
  ([a, b]: Two): One => [zip(a, b, a.dtype, a.dtype === "int32" ? integer : f)];

const comparison =
  (f: (a: number, b: number) => boolean) =>
  ([a, b]: Two): One => [zip(a, b, "bool", (x, y) => Number(f(x, y)))];

const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** erf by 2/sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (1 3 5 ... (2n+1)): all terms have one sign (Abramowitz and Stegun 7.1.6). */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = 0;
  for (let n = 0; sum + term !== sum; n++) {
    sum += term;
    term *= (2 * x * x) / (2 * n + 3);
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const ROOT = Math.sqrt(2 / Math.PI);
const inner = (x: number): number => ROOT * (x + 0.044715 * x ** 3);
const normalDensity = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

const GELU = {
  tanh: {
    value: (x: number): number => 0.5 * x * (1 + Math.tanh(inner(x))),
    slope: (x: number): number => {
      const t = Math.tanh(inner(x));
      return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * ROOT * (1 + 3 * 0.044715 * x * x);
    },
  },
  none: {
    value: (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2)),
    slope: (x: number): number => 0.5 * (1 + erf(x / Math.SQRT2)) + x * normalDensity(x),
  },
} as const;

/** One number converted from a dtype to another. */
function convert(from: DType, to: DType): (x: number) => number {
  const toFloat = to === "float32" || to === "float16";
  if (toFloat) return to === "float16" ? (x) => fromFloat16(toFloat16(x)) : (x) => x;
  if (to === "bool") return (x) => (x === 0 ? 0 : 1);
  if (to === "int32") return (x) => (from.startsWith("float") ? Math.trunc(x) : x) | 0;
  return to === "uint8" ? (x) => Math.trunc(x) & 0xff : Math.trunc;
}

export const elementwiseKernels: Kernels<keyof typeof elementwiseShapes> = {
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  tanh: unary(Math.tanh),
  sigmoid: unary(sigmoid),
  softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  erf: unary(erf),
  reciprocal: unary((x) => 1 / x),
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  sign: unary(Math.sign),
  square: (inputs) => [
    zip(inputs[0], inputs[0], inputs[0].dtype, inputs[0].dtype === "int32" ? Math.imul : (x) => x * x),
  ],
  add: arithmetic(
    (a, b) => a + b,
    (a, b) => (a + b) | 0,
  ),
  sub: arithmetic(
    (a, b) => a - b,
    (a, b) => (a - b) | 0,
  ),
  mul: arithmetic((a, b) => a * b, Math.imul),
  div: ([a, b]) => [zip(a, b, a.dtype, a.dtype.startsWith("int") ? (x, y) => Math.trunc(x / y) : (x, y) => x / y)],
  maximum: arithmetic(Math.max, Math.max),
  minimum: arithmetic(Math.min, Math.min),
  equal: comparison((a, b) => a === b),
  less: comparison((a, b) => a < b),
  greater: comparison((a, b) => a > b),
  logicalAnd: comparison((a, b) => a !== 0 && b !== 0),
  logicalOr: comparison((a, b) => a !== 0 || b !== 0),
  logicalNot: unary((x) => (x === 0 ? 1 : 0)),
  where: ([condition, yes, no]) => {
    const result = empty(yes.dtype, broadcastDims(condition.dims, yes.dims, no.dims));
    eachIndex(result.dims, (index, at) => {
      const from = condition.data[broadcastOffset(condition.dims, index)] === 0 ? no : yes;
      result.data[at] = from.data[broadcastOffset(from.dims, index)]!;
    });
    return [result];
  },
  cast: ([x], { to }) => [dense(to, x.dims, x.data.map(convert(x.dtype, to)))],
  gelu: ([x], { form }) => [dense(x.dtype, x.dims, x.data.map(GELU[form].value))],
  geluGrad: ([x, gradient], { form }) => [zip(x, gradient, x.dtype, (value, g) => GELU[form].slope(value) * g)],
  stopGradient: ([x]) => [x],
};
