import { Rng, type Tensor } from "../../src/base/index.js";
import { Graph, OP_NAMES, type OpName } from "../../src/graph/index.js";
import { expect } from "vitest";
import { OP_CASES } from "./op-cases.js";

const REPEATS = 8;

/** One op on random tensors of random shapes. */
export interface OpRun {
  readonly name: string;
  readonly graph: Graph;
  readonly batch: Record<string, Tensor>;
}

/** Random uses of every op. */
export function opExamples(): readonly { readonly op: OpName; readonly runs: readonly OpRun[] }[] {
  const rng = Rng.fromSeed(20);
  return OP_NAMES.map((op) => ({
    op,
    runs: Array.from({ length: REPEATS }, (_, repeat) => ({ name: `${op}/${repeat}`, ...build(op, repeat, rng) })),
  }));
}

function build(op: OpName, repeat: number, rng: Rng): Omit<OpRun, "name"> {
  const { feeds, build: emit } = OP_CASES[op](rng.split(op, repeat));
  const graph = new Graph(`${op}/${repeat}`);
  const values = Object.entries(feeds).map(([name, { value, shape }]) => graph.input(name, value.dtype, shape));
  emit(values, graph).forEach((value, index) => graph.output(`y${index}`, value));
  return { graph, batch: Object.fromEntries(Object.entries(feeds).map(([name, { value }]) => [name, value])) };
}

/** Holds an engine's outputs against the reference engine's: the same types and, but for rounding, numbers. */
export function expectAgreement(
  graph: Graph,
  actual: Readonly<Record<string, Tensor>>,
  expected: Readonly<Record<string, Tensor>>,
): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [output, { dtype, dims, data }] of Object.entries(expected)) {
    const got = actual[output]!;
    expect({ dtype: got.dtype, dims: [...got.dims] }).toEqual({ dtype, dims: [...dims] });
    for (let at = 0; at < data.length; at++) {
      const [a, b] = [Number(got.data[at]), Number(data[at])];
      // Integers, and what compares them, are exact; floats are rounded to 24 bits after every op on one side.
      const tolerance = dtype === "float32" ? 2e-5 * (1 + Math.abs(b)) : 0;
      if (!(Math.abs(a - b) <= tolerance)) {
        throw new Error(`${graph.toString()}\n${output}[${at}]: expected ${b} as the reference, got ${a}`);
      }
    }
  }
}
