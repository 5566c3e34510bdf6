import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { GRADIENT_CASES, type CaseInput, type GradientCase } from "../../test/helpers/gradient-cases.js";
import { python, testWithPython } from "../../test/helpers/requires.js";
import { runOnnx } from "../../test/helpers/run-onnx.js";
import { elementCount, float32, int32, Rng, type Tensor } from "../base/index.js";
import { Graph, gradients, GRADIENTS, mul, OP_NAMES, reduceSum, toOnnx } from "./index.js";
import type { OnnxTarget, OpName, Value } from "./index.js";

interface Prepared {
  readonly name: string;
  readonly op: OpName;
  readonly case: GradientCase;
  readonly graph: Graph;
  readonly feeds: Record<string, Tensor>;
  readonly seed: Tensor<"float32">;
  /** Names of the float inputs: their gradients are the outputs `grad/NAME`. */
  readonly floats: readonly string[];
}

const LETTERS = ["a", "b", "c", "d"];

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

const prepared = OP_NAMES.flatMap((op) => {
  const cases = GRADIENT_CASES[op];
  return typeof cases === "string" ? [] : cases.map((example, index) => prepare(op, index, example));
});

const list = (tensor: Tensor | undefined): number[] => Array.from(tensor!.data as Float32Array);

function expectClose(got: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(got.length).toBe(expected.length);
  const worst = Math.max(0, ...got.map((x, at) => Math.abs(x - expected[at]!) / (1 + Math.abs(expected[at]!))));
  expect(worst).toBeLessThan(tolerance);
}

describe("the tables", () => {
  test.each(OP_NAMES)("%s: a case where there is a rule, and only there", (op) => {
    const rule = GRADIENTS[op];
    const cases = GRADIENT_CASES[op];
    if (rule === "none") expect(cases).toBe("none");
    else if (rule === "unsupported") expect(cases).toBe("through");
    else expect(Array.isArray(cases) && cases.length > 0).toBe(true);
  });

  test.each(OP_NAMES)("%s: the cases go through it", (op) => {
    const cases = GRADIENT_CASES[op];
    if (cases === "none") return;
    const graphs = prepared.filter((example) => cases === "through" || example.op === op);
    expect(graphs.some(({ graph }) => graph.nodes.some((node) => node.op === op))).toBe(true);
  });
});

describe("central finite differences", () => {
  test.each(prepared.filter(({ op }) => op !== "cast").map((example) => [example.name, example] as const))(
    "%s",
    async (_, { graph, feeds, floats }) => {
      const model = toOnnx(graph);
      const result = await runOnnx(model, feeds);
      const step = 2 ** -7;
      for (const name of floats) {
        const expected: number[] = [];
        const base = feeds[name] as Tensor<"float32">;
        // One batch of runs per input; float32 noise of about 1e-7 / step stays below the tolerance.
        for (let at = 0; at < base.data.length; at++) {
          const at2 = async (delta: number): Promise<number> => {
            const data = base.data.slice();
            data[at]! += delta;
            const { loss } = await runOnnx(model, { ...feeds, [name]: { ...base, data } });
            return list(loss)[0]!;
          };
          expected.push(((await at2(step)) - (await at2(-step))) / (2 * step));
        }
        expectClose(list(result[`grad/${name}`]), expected, 2e-3);
      }
    },
  );
});

testWithPython(
  "PyTorch's values and gradients, for both targets",
  async () => {
    const cases = prepared.map(({ case: { torch }, feeds, seed }) => ({
      torch,
      seed: [...seed.data],
      inputs: Object.values(feeds).map(({ dtype, dims, data }) => ({
        dtype,
        dims,
        data: Array.from(data as Float32Array),
      })),
    }));
    const script = fileURLToPath(new URL("./_gradients.py", import.meta.url));
    const run = spawnSync(python!, [script], { input: JSON.stringify(cases), encoding: "utf8" });
    expect(run.status, run.stderr).toBe(0);
    const expected = JSON.parse(run.stdout) as { value: number[]; dims: number[]; gradients: (number[] | null)[] }[];
    for (const target of ["standard", "onnxruntime"] satisfies OnnxTarget[]) {
      for (const [at, { name, graph, feeds, floats }] of prepared.entries()) {
        const optimised = await runOnnx(toOnnx(graph, { target }), feeds);
        const result =
          target === "standard"
            ? optimised
            : await runOnnx(toOnnx(graph, { target }), feeds, { graphOptimizationLevel: "disabled" });
        const oracle = expected[at]!;
        expect(result["y"]!.dims, name).toEqual(oracle.dims);
        expectClose(list(result["y"]), oracle.value, 2e-6);
        for (const letter of floats) {
          expectClose(list(result[`grad/${letter}`]), oracle.gradients[LETTERS.indexOf(letter)]!, 1e-5);
        }
      }
    }
  },
  60_000,
);
