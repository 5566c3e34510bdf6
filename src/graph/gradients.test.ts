import { describe, expect, test } from "vitest";
import { GRADIENT_CASES } from "../../test/helpers/gradient-cases.js";
import { expectClose, list, prepared } from "../../test/helpers/prepared-gradients.js";
import { openOnnx } from "../../test/helpers/run-onnx.js";
import { zeros, type Tensor } from "../base/index.js";
import { concat, Graph, GRADIENTS, gradients, OP_NAMES, reduceMean, toOnnx } from "./index.js";

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
      const session = await openOnnx(toOnnx(graph));
      const result = await session.run(feeds);
      const step = 2 ** -7;
      for (const name of floats) {
        const base = feeds[name] as Tensor<"float32">;
        const lossAt = async (at: number, delta: number): Promise<number> => {
          const data = base.data.slice();
          data[at]! += delta;
          return list((await session.run({ ...feeds, [name]: { ...base, data } }))["loss"])[0]!;
        };
        const expected: number[] = [];
        for (let at = 0; at < base.data.length; at++) {
          // float32 noise of about 1e-7 / step stays well below the tolerance.
          expected.push(((await lossAt(at, step)) - (await lossAt(at, -step))) / (2 * step));
        }
        expectClose(list(result[`grad/${name}`]), expected, 2e-3);
      }
      await session.close();
    },
  );
});

test("the mean over a dimension that is a sum, beside a static one: each of (2 + 3) x 2 numbers weighs a tenth", async () => {
  const graph = new Graph("sum");
  const parts = ["A", "B"].map((dim) => graph.input(dim.toLowerCase(), "float32", [dim, 2]));
  const mean = reduceMean(concat(parts, 0)); // [A+B, 2]
  gradients(mean, parts).forEach((gradient, index) => graph.output(`grad/${index}`, gradient));
  const session = await openOnnx(toOnnx(graph));
  const result = await session.run({ a: zeros("float32", [2, 2]), b: zeros("float32", [3, 2]) });
  expectClose(list(result["grad/0"]), new Array<number>(4).fill(0.1), 1e-7);
  expectClose(list(result["grad/1"]), new Array<number>(6).fill(0.1), 1e-7);
  await session.close();
});
