import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { expectClose, LETTERS, list, prepared } from "../../test/helpers/prepared-gradients.js";
import { python, testWithPython } from "../../test/helpers/requires.js";
import { runOnnx } from "../../test/helpers/run-onnx.js";
import { toOnnx, type OnnxTarget } from "./index.js";

testWithPython("PyTorch's values and gradients, for both targets", async () => {
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
    // As they are used: exported models are optimised by ONNX Runtime, training programs are run as they are.
    const graphOptimizationLevel = target === "standard" ? "all" : "disabled";
    for (const [at, { name, graph, feeds, floats }] of prepared.entries()) {
      const result = await runOnnx(toOnnx(graph, { target }), feeds, { graphOptimizationLevel });
      const oracle = expected[at]!;
      expect(result["y"]!.dims, name).toEqual(oracle.dims);
      expectClose(list(result["y"]), oracle.value, 2e-6);
      for (const letter of floats) {
        expectClose(list(result[`grad/${letter}`]), oracle.gradients[LETTERS.indexOf(letter)]!, 1e-5);
      }
    }
  }
});
