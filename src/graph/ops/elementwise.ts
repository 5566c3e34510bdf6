import type { DType } from "../../base/index.js";
import { sameShape, showShape } from "../dims.js";
import { expect, type ShapeRule, type TensorType, type Value } from "../graph.js";
import { broadcast, expectDType, expectFloat, operands, type Operand } from "./_operands.js";
import type { GeluForm } from "./signatures.js";

type FloatUnary = "exp" | "log" | "sqrt" | "tanh" | "sigmoid" | "softplus" | "erf" | "reciprocal";
type NumberUnary = "neg" | "abs" | "sign" | "square";
type Arithmetic = "add" | "sub" | "mul" | "div" | "maximum" | "minimum";
type Comparison = "equal" | "less" | "greater";
type Logical = "logicalAnd" | "logicalOr";

const float = ([x]: readonly [TensorType]): readonly [TensorType] => {
  expectFloat("a value", x);
  return [x];
};
const number = ([x]: readonly [TensorType]): readonly [TensorType] => {
  expectDType("a value", x, "float32", "float16", "int32", "int64");
  return [x];
};
const arithmetic = ([a, b]: readonly [TensorType, TensorType]): readonly [TensorType] => {
  expectDType("a value", a, "float32", "float16", "int32", "int64");
  return [broadcast(a, b)];
};
const comparison = ([a, b]: readonly [TensorType, TensorType]): readonly [TensorType] => [broadcast(a, b, "bool")];
const logical = ([a, b]: readonly [TensorType, TensorType]): readonly [TensorType] => {
  expectDType("a value", a, "bool");
  return [broadcast(a, b)];
};

export const elementwiseShapes = {
  exp: float,
  log: float,
  sqrt: float,
  tanh: float,
  sigmoid: float,
  softplus: float,
  erf: float,
  reciprocal: float,
  neg: number,
  abs: number,
  sign: number,
  square: number,
  add: arithmetic,
  sub: arithmetic,
  mul: arithmetic,
  div: arithmetic,
  maximum: arithmetic,
  minimum: arithmetic,
  equal: comparison,
  less: comparison,
  greater: comparison,
  logicalAnd: logical,
  logicalOr: logical,
  logicalNot: ([x]: readonly [TensorType]): readonly [TensorType] => {
    expectDType("a value", x, "bool");
    return [x];
  },
  where: ([condition, yes, no]: readonly [TensorType, TensorType, TensorType]): readonly [TensorType] => {
    expectDType("a condition", condition, "bool");
    const both = broadcast(yes, no);
    const { shape } = broadcast({ dtype: both.dtype, shape: condition.shape }, both);
    return [{ dtype: both.dtype, shape }];
  },
  cast: ([x]: readonly [TensorType], { to }: { readonly to: DType }): readonly [TensorType] => [
    { dtype: to, shape: x.shape },
  ],
  gelu: float,
  geluGrad: ([x, gradient, y]: readonly [TensorType, TensorType, TensorType]): readonly [TensorType] => {
    for (const other of [gradient, y]) {
      expect(
        sameShape(x.shape, other.shape),
        () => `expected a gradient ${showShape(x.shape)}, got ${showShape(other.shape)}`,
      );
    }
    return [x];
  },
  stopGradient: ([x]: readonly [TensorType]): readonly [TensorType] => [x],
};

function unary<K extends FloatUnary | NumberUnary>(op: K): (x: Value) => Value {
  // All of these have one input, one output and no params, as neg has.
  const rule: ShapeRule<"neg"> = elementwiseShapes[op];
  return (x) => x.graph.emit<"neg">(op as "neg", {}, [x], rule)[0];
}

function binary<K extends Arithmetic | Comparison | Logical>(op: K): (a: Operand, b: Operand) => Value {
  const rule = elementwiseShapes[op] as ShapeRule<"add">;
  return (a, b) => {
    const [left, right] = operands(a, b);
    return left.graph.emit<"add">(op as "add", {}, [left, right], rule)[0];
  };
}

/** -x. */
export const neg = unary("neg");
/** e^x. */
export const exp = unary("exp");
/** Natural logarithm. */
export const log = unary("log");
/** Square root. */
export const sqrt = unary("sqrt");
/** Hyperbolic tangent. */
export const tanh = unary("tanh");
/** 1 / (1 + e^-x). */
export const sigmoid = unary("sigmoid");
/** log(1 + e^x), without overflow. */
export const softplus = unary("softplus");
/** The error function. */
export const erf = unary("erf");
/** |x|; the gradient at 0 is 0. */
export const abs = unary("abs");
/** -1, 0 or 1. */
export const sign = unary("sign");
/** x * x. */
export const square = unary("square");
/** 1 / x. */
export const reciprocal = unary("reciprocal");

/** a + b, broadcasting as NumPy does, like all that follow; a number becomes a constant of the other's dtype. */
export const add = binary("add");
/** a - b. */
export const sub = binary("sub");
/** a * b. */
export const mul = binary("mul");
/** a / b; integers truncate toward zero. */
export const div = binary("div");
/** The larger; where they are equal the gradient goes to `a`. */
export const maximum = binary("maximum");
/** The smaller; where they are equal the gradient goes to `a`. */
export const minimum = binary("minimum");
/** a == b -> bool. */
export const equal = binary("equal");
/** a < b -> bool. */
export const less = binary("less");
/** a > b -> bool. */
export const greater = binary("greater");
/** a && b on bools. */
export const logicalAnd = binary("logicalAnd");
/** a || b on bools. */
export const logicalOr = binary("logicalOr");

/** !x on bools. */
export function logicalNot(x: Value): Value {
  return x.graph.emit("logicalNot", {}, [x], elementwiseShapes.logicalNot)[0];
}

/** `yes` where the condition holds, else `no`; all three broadcast. */
export function where(condition: Value, yes: Operand, no: Operand): Value {
  const [left, right] =
    typeof yes === "number" && typeof no === "number"
      ? [condition.graph.constant(yes), condition.graph.constant(no)]
      : operands(yes, no);
  return condition.graph.emit("where", {}, [condition, left, right], elementwiseShapes.where)[0];
}

/** Converts; floats to integers truncate toward zero. Gradients flow between floats only. */
export function cast(x: Value, to: DType): Value {
  return x.dtype === to ? x : x.graph.emit("cast", { to }, [x], elementwiseShapes.cast)[0];
}

/**
 * Gaussian error linear unit (Hendrycks and Gimpel 2016). `tanh` is transformers' `gelu_new`:
 * 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))); `none` is x Phi(x) with erf.
 */
export function gelu(x: Value, form: GeluForm = "tanh"): Value {
  return x.graph.emit("gelu", { form }, [x], elementwiseShapes.gelu)[0];
}

/** The gradient of `gelu` at x from the gradient of its result y. */
export function geluGrad(x: Value, gradient: Value, y: Value, form: GeluForm): Value {
  return x.graph.emit("geluGrad", { form }, [x, gradient, y], elementwiseShapes.geluGrad)[0];
}

/** The identity, through which no gradient flows. */
export function stopGradient(x: Value): Value {
  return x.graph.emit("stopGradient", {}, [x], elementwiseShapes.stopGradient)[0];
}
