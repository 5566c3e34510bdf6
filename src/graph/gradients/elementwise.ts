import type { Value } from "../graph.js";
import * as ops from "../ops/index.js";
import type { elementwiseShapes } from "../ops/elementwise.js";
import { sumTo, type GradientRules } from "./_rule.js";

const { cast, div, exp, greater, less, logicalNot, mul, neg, sigmoid, sign, square, sub, where } = ops;

/** Slope of erf at 0. */
const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);

/** The whole gradient goes to whichever input was chosen. */
function choose(a: Value, b: Value, g: Value, first: Value): readonly [Value, Value] {
  return [sumTo(where(first, g, 0), a.shape), sumTo(where(first, 0, g), b.shape)];
}

/** With x the input, y the output and g the gradient of y. */
export const elementwiseGradients: GradientRules<keyof typeof elementwiseShapes> = {
  neg: ({ gradients: [g] }) => [neg(g!)],
  exp: ({
    node: {
      outputs: [y],
    },
    gradients: [g],
  }) => [mul(g!, y)],
  log: ({
    node: {
      inputs: [x],
    },
    gradients: [g],
  }) => [div(g!, x)],
  sqrt: ({
    node: {
      outputs: [y],
    },
    gradients: [g],
  }) => [div(mul(g!, 0.5), y)],
  tanh: ({
    node: {
      outputs: [y],
    },
    gradients: [g],
  }) => [mul(g!, sub(1, square(y)))],
  sigmoid: ({
    node: {
      outputs: [y],
    },
    gradients: [g],
  }) => [mul(g!, mul(y, sub(1, y)))],
  softplus: ({
    node: {
      inputs: [x],
    },
    gradients: [g],
  }) => [mul(g!, sigmoid(x))],
  erf: ({
    node: {
      inputs: [x],
    },
    gradients: [g],
  }) => [mul(g!, mul(exp(neg(square(x))), TWO_OVER_SQRT_PI))],
  abs: ({
    node: {
      inputs: [x],
    },
    gradients: [g],
  }) => [mul(g!, sign(x))],
  sign: "none",
  square: ({
    node: {
      inputs: [x],
    },
    gradients: [g],
  }) => [mul(mul(g!, 2), x)],
  reciprocal: ({
    node: {
      outputs: [y],
    },
    gradients: [g],
  }) => [neg(mul(g!, square(y)))],
  logicalNot: "none",
  cast: ({
    node: {
      inputs: [x],
    },
    gradients: [g],
  }) => [cast(g!, x.dtype)],
  gelu: ({
    node: {
      inputs: [x],
      outputs: [y],
      params,
    },
    gradients: [g],
  }) => [ops.geluGrad(x, g!, y, params.form)],
  geluGrad: "unsupported",
  stopGradient: "none",

  add: ({
    node: {
      inputs: [a, b],
    },
    gradients: [g],
    wanted,
  }) => [wanted[0] ? sumTo(g!, a.shape) : undefined, wanted[1] ? sumTo(g!, b.shape) : undefined],
  sub: ({
    node: {
      inputs: [a, b],
    },
    gradients: [g],
    wanted,
  }) => [wanted[0] ? sumTo(g!, a.shape) : undefined, wanted[1] ? neg(sumTo(g!, b.shape)) : undefined],
  mul: ({
    node: {
      inputs: [a, b],
    },
    gradients: [g],
    wanted,
  }) => [wanted[0] ? sumTo(mul(g!, b), a.shape) : undefined, wanted[1] ? sumTo(mul(g!, a), b.shape) : undefined],
  div: ({
    node: {
      inputs: [a, b],
      outputs: [y],
    },
    gradients: [g],
    wanted,
  }) => {
    const quotient = div(g!, b);
    return [
      wanted[0] ? sumTo(quotient, a.shape) : undefined,
      wanted[1] ? neg(sumTo(mul(quotient, y), b.shape)) : undefined,
    ];
  },
  maximum: ({
    node: {
      inputs: [a, b],
    },
    gradients: [g],
  }) => choose(a, b, g!, logicalNot(less(a, b))),
  minimum: ({
    node: {
      inputs: [a, b],
    },
    gradients: [g],
  }) => choose(a, b, g!, logicalNot(greater(a, b))),
  equal: "none",
  less: "none",
  greater: "none",
  logicalAnd: "none",
  logicalOr: "none",
  where: ({
    node: {
      inputs: [condition, yes, no],
    },
    gradients: [g],
    wanted,
  }) => [
    undefined,
    wanted[1] ? sumTo(where(condition, g!, 0), yes.shape) : undefined,
    wanted[2] ? sumTo(where(condition, 0, g!), no.shape) : undefined,
  ],
};
