import { describe, expect, test } from "vitest";
import { GRADIENT_CASES } from "../../test/helpers/gradient-cases.js";
import { expectClose, list, prepared } from "../../test/helpers/prepared-gradients.js";
import { openOnnx } from "../../test/helpers/run-onnx.js";
import type { Tensor } from "../base/index.js";
import { GRADIENTS, OP_NAMES, toOnnx } from "./index.js";

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
