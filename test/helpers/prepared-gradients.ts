import { expect } from "vitest";
import { elementCount, float32, int32, Rng, type Tensor } from "../../src/base/index.js";
import { Graph, gradients, mul, OP_NAMES, reduceSum, type OpName, type Value } from "../../src/graph/index.js";
import { GRADIENT_CASES, type CaseInput, type GradientCase } from "./gradient-cases.js";

/** A case as a graph with inputs drawn and gradients taken. */
export interface Prepared {
  readonly name: string;
  readonly op: OpName;
  readonly case: GradientCase;
  readonly graph: Graph;
  readonly feeds: Record<string, Tensor>;
  readonly seed: Tensor<"float32">;
  /** Names of the float inputs: their gradients are the outputs `grad/NAME`. */
  readonly floats: readonly string[];
}

/** The names of the inputs, in order. */
export const LETTERS = ["a", "b", "c", "d"];

function draw({ shape, dtype = "float32", range = [-1, 1], below = 1 }: CaseInput, rng: Rng): Tensor {
  const values = Array.from({ length: elementCount(shape) }, () =>
    dtype === "int32" ? Math.floor(rng.uniform() * below) : range[0] + rng.uniform() * (range[1] - range[0]),
  );
  return dtype === "int32" ? int32(shape, values) : float32(shape, values);
}

/** loss = sum(y * seed) for a fixed random seed; outputs y, loss and the gradients of all float inputs. */
function prepare(op: OpName, index: number, example: GradientCase): Prepared {
  const rng = Rng.fromSeed(7).split(op, index);
  const graph = new Graph(op);
  const feeds: Record<string, Tensor> = {};
  const values = example.inputs.map((input, at) => {
    const tensor = draw(input, rng);
    feeds[LETTERS[at]!] = tensor;
    return graph.input(LETTERS[at]!, tensor.dtype, tensor.dims);
  });
  const y = example.build(...values);
  const seed = draw({ shape: y.shape as number[] }, rng) as Tensor<"float32">;
  const loss = reduceSum(mul(y, graph.constant(seed)));
  const wrt = values.filter(({ dtype }) => dtype === "float32");
  const nameOf = (value: Value): string => (value.origin.kind === "input" ? value.origin.name : "");
  graph.output("y", y);
  graph.output("loss", loss);
  gradients(loss, wrt).forEach((gradient, at) => graph.output(`grad/${nameOf(wrt[at]!)}`, gradient));
  return { name: `${op} ${index}`, op, case: example, graph, feeds, seed, floats: wrt.map(nameOf) };
}

/** Every case. */
export const prepared: readonly Prepared[] = OP_NAMES.flatMap((op) => {
  const cases = GRADIENT_CASES[op];
  return typeof cases === "string" ? [] : cases.map((example, index) => prepare(op, index, example));
});

/** The elements as numbers. */
export const list = (tensor: Tensor | undefined): number[] => Array.from(tensor!.data as Float32Array);

/** Absolute for small numbers, relative for large ones. */
export function expectClose(got: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(got.length).toBe(expected.length);
  const worst = Math.max(0, ...got.map((x, at) => Math.abs(x - expected[at]!) / (1 + Math.abs(expected[at]!))));
  expect(worst).toBeLessThan(tolerance);
}
