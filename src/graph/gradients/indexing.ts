import { gather, gatherElements, scatterAddElements, scatterAddRows, transpose } from "../ops/index.js";
import type { indexingShapes } from "../ops/indexing.js";
import type { GradientRules } from "./_rule.js";

const range = (start: number, end: number): readonly number[] =>
  Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index);

export const indexingGradients: GradientRules<keyof typeof indexingShapes> = {
  gather: ({
    node: {
      inputs: [table, indices],
      params: { axis },
    },
    gradients: [g],
  }) => {
    // [before, indices, after] -> [indices, before, after], add up by row, and the rows' axis back to its place.
    const rank = g!.shape.length;
    const after = axis + indices.shape.length;
    const first = transpose(g!, [...range(axis, after), ...range(0, axis), ...range(after, rank)]);
    const summed = scatterAddRows(indices, first, table.shape[axis]!);
    return [transpose(summed, [...range(1, axis + 1), 0, ...range(axis + 1, table.shape.length)]), undefined];
  },
  scatterAddRows: ({
    node: {
      inputs: [indices],
    },
    gradients: [g],
  }) => [undefined, gather(g!, indices, 0)],
  gatherElements: ({
    node: {
      inputs: [x, indices],
      params: { axis },
    },
    gradients: [g],
  }) => [scatterAddElements(indices, g!, axis, x.shape[axis]!), undefined],
  scatterAddElements: ({
    node: {
      inputs: [indices],
      params: { axis },
    },
    gradients: [g],
  }) => [undefined, gatherElements(g!, indices, axis)],
  iota: "none",
  dimension: "none",
};
