import type { elementwiseShapes } from "../ops/elementwise.js";
import { LODESTONE, ONNX_TYPES, type Emitter } from "./_emitter.js";
import type { Lowerings } from "./_lowering.js";

type UnaryLowering = (emitter: Emitter, inputs: readonly [string]) => readonly [string];
type BinaryLowering = (emitter: Emitter, inputs: readonly [string, string]) => readonly [string];

/** Our op is ONNX's op of this name. */
const unary =
  (opType: string): UnaryLowering =>
  (emitter, inputs) => [emitter.op(opType, inputs)];
const binary =
  (opType: string): BinaryLowering =>
  (emitter, inputs) => [emitter.op(opType, inputs)];

/** sqrt(2 / pi) and 0.044715 of `gelu_new`, times 2: gelu(x) = x sigmoid(C0 x + C1 x^3). */
const C0 = 2 * Math.sqrt(2 / Math.PI);
const C1 = C0 * 0.044715;

export const elementwiseLowerings: Lowerings<keyof typeof elementwiseShapes> = {
  neg: unary("Neg"),
  exp: unary("Exp"),
  log: unary("Log"),
  sqrt: unary("Sqrt"),
  tanh: unary("Tanh"),
  sigmoid: unary("Sigmoid"),
  softplus: unary("Softplus"),
  erf: unary("Erf"),
  abs: unary("Abs"),
  sign: unary("Sign"),
  reciprocal: unary("Reciprocal"),
  logicalNot: unary("Not"),
  square: (e, [x]) => [e.op("Mul", [x, x])],
  cast: (e, [x], { params }) => [e.op("Cast", [x], { to: ONNX_TYPES[params.to] })],
  stopGradient: (e, [x]) => [e.target === "torch" ? e.op("StopGradient", [x], {}, LODESTONE) : x],
  gelu: (e, [x], { params }) => [e.op("Gelu", [x], { approximate: params.form })],
  geluGrad: (e, [x, g, y], { params }) => [params.form === "tanh" ? tanhGeluGrad(e, x, g, y) : exactGeluGrad(e, x, g)],

  add: binary("Add"),
  sub: binary("Sub"),
  mul: binary("Mul"),
  div: binary("Div"),
  maximum: binary("Max"),
  minimum: binary("Min"),
  equal: binary("Equal"),
  less: binary("Less"),
  greater: binary("Greater"),
  logicalAnd: binary("And"),
  logicalOr: binary("Or"),
  where: (e, inputs) => [e.op("Where", inputs)],
};

/**
 * With p = C0 + C1 x^2, s = sigmoid(x p) and y = x s: y' = s + y (1 - s) (x p)', (x p)' = C0 + 3 C1 x^2 = 3p - 2 C0.
 */
function tanhGeluGrad(e: Emitter, x: string, g: string, y: string): string {
  const p = e.op("Add", [e.op("Mul", [e.op("Mul", [x, x]), e.number(C1)]), e.number(C0)]);
  const s = e.op("Sigmoid", [e.op("Mul", [x, p])]);
  const slope = e.op("Sub", [e.op("Mul", [p, e.number(3)]), e.number(2 * C0)]);
  const rest = e.op("Mul", [e.op("Mul", [y, slope]), e.op("Sub", [e.number(1), s])]);
  return e.op("Mul", [e.op("Add", [rest, s]), g]);
}

/** Phi(x) + x phi(x). */
function exactGeluGrad(e: Emitter, x: string, g: string): string {
  const erf = e.op("Erf", [e.op("Mul", [x, e.number(Math.SQRT1_2)])]);
  const cumulative = e.op("Add", [e.op("Mul", [erf, e.number(0.5)]), e.number(0.5)]);
  const bell = e.op("Exp", [e.op("Mul", [e.op("Mul", [x, x]), e.number(-0.5)])]);
  const density = e.op("Mul", [bell, e.number(1 / Math.sqrt(2 * Math.PI))]);
  return e.op("Mul", [e.op("Add", [cumulative, e.op("Mul", [x, density])]), g]);
}
