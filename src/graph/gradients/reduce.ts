import { cast, div, equal, exp, expand, mul, reduceSum, reshape, sub } from "../ops/index.js";
import type { reduceShapes } from "../ops/reduce.js";
import { keptShape, reducedCount, type GradientRules } from "./_rule.js";

export const reduceGradients: GradientRules<keyof typeof reduceShapes> = {
  reduceSum: ({
    node: {
      inputs: [x],
      params,
    },
    gradients: [g],
  }) => [expand(reshape(g!, keptShape(x.shape, params.axes)), x.shape)],
  reduceMean: ({
    node: {
      inputs: [x],
      params,
    },
    gradients: [g],
  }) => {
    const count = reducedCount(x, params.axes);
    const each = typeof count === "number" ? mul(g!, 1 / count) : div(g!, count);
    return [expand(reshape(each, keptShape(x.shape, params.axes)), x.shape)];
  },
  reduceMax: ({
    node: {
      inputs: [x],
      outputs: [y],
      params,
    },
    gradients: [g],
  }) => {
    const kept = keptShape(x.shape, params.axes);
    const largest = cast(equal(x, reshape(y, kept)), x.dtype);
    const each = div(reshape(g!, kept), reduceSum(largest, params.axes, { keepDims: true }));
    return [mul(largest, each)];
  },
  argmax: "none",
  logSumExp: ({
    node: {
      inputs: [x],
      outputs: [y],
    },
    gradients: [g],
  }) => {
    const kept = keptShape(x.shape, [x.shape.length - 1]);
    return [mul(exp(sub(x, reshape(y, kept))), reshape(g!, kept))];
  },
};
