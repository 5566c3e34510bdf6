import { addDims, subtractDims, type Dim } from "../dims.js";
import { concat, expand, pad, reshape, slice, transpose } from "../ops/index.js";
import type { shapeShapes } from "../ops/shape.js";
import { sumTo, type GradientRules } from "./_rule.js";

/** The order that undoes `perm`. */
function inverse(perm: readonly number[]): readonly number[] {
  const result = perm.map(() => 0);
  perm.forEach((axis, index) => (result[axis] = index));
  return result;
}

export const shapeGradients: GradientRules<keyof typeof shapeShapes> = {
  reshape: ({
    node: {
      inputs: [x],
    },
    gradients: [g],
  }) => [reshape(g!, x.shape)],
  transpose: ({ node: { params }, gradients: [g] }) => [transpose(g!, inverse(params.perm))],
  expand: ({
    node: {
      inputs: [x],
    },
    gradients: [g],
  }) => [sumTo(g!, x.shape)],
  concat: ({ node: { inputs, params }, gradients: [g] }) => {
    let start: Dim = 0;
    return inputs.map((input) => {
      const end: Dim = addDims(start, input.shape[params.axis]!);
      const part = slice(g!, params.axis, start, end);
      start = end;
      return part;
    });
  },
  slice: ({
    node: {
      inputs: [x],
      params,
    },
    gradients: [g],
  }) => [pad(g!, params.axis, params.start, subtractDims(x.shape[params.axis]!, params.end))],
  split: ({
    node: {
      inputs: [x],
      outputs,
      params,
    },
    gradients,
  }) => {
    const zero = x.graph.constant(0, x.dtype);
    return [
      concat(
        outputs.map((output, index) => gradients[index] ?? expand(zero, output.shape)),
        params.axis,
      ),
    ];
  },
  pad: ({
    node: {
      inputs: [x],
      params,
    },
    gradients: [g],
  }) => [slice(g!, params.axis, params.before, addDims(params.before, x.shape[params.axis]!))],
};
