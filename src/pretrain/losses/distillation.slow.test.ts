import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";
import { float32, int32, readSafetensors, Rng, writeSafetensors } from "../../base/index.js";
import { Graph, gradients } from "../../graph/index.js";
import { python, testWithPython } from "../../../test/helpers/requires.js";
import { largestDifference, numbers, withSession } from "../../../test/helpers/run-graph.js";
import { distillationLoss } from "./index.js";

const ORACLE = fileURLToPath(new URL("distillation.py", import.meta.url));
const [PAIRS, WIDTH, DIM] = [9, 16, 24];

testWithPython("in blocks of anchors it agrees with PyTorch in float64 to 1e-5", async () => {
  const rng = Rng.fromSeed(5);
  const vectors = (width: number) => {
    const rows = Array.from({ length: PAIRS }, () => Array.from({ length: width }, () => rng.normal()));
    return float32(
      [PAIRS, width],
      rows.flatMap((row) => row.map((x) => x / Math.hypot(...row))),
    );
  };
  const inputs = {
    ...{ text: vectors(WIDTH), code: vectors(WIDTH) },
    ...{ teacher_text: vectors(DIM), teacher_code: vectors(DIM), near_text: vectors(WIDTH), near_code: vectors(WIDTH) },
  };
  const cases = [
    { kind: "scores", temperature: 0.05 },
    { kind: "scores", temperature: 1 },
    { kind: "embeddings", temperature: 1 },
  ] as const;
  const folder = await mkdtemp(join(tmpdir(), "lodestone-distillation-"));
  try {
    const [input, output] = [join(folder, "in.safetensors"), join(folder, "out.safetensors")];
    await writeSafetensors(input, inputs, { cases: JSON.stringify(cases) });
    await promisify(execFile)(python!, [ORACLE, input, output]);
    const { tensors: expected } = await readSafetensors(output);
    for (const [index, { kind, temperature }] of cases.entries()) {
      const [prefix, dim] = kind === "scores" ? ["teacher", DIM] : ["near", WIDTH];
      const graph = new Graph("distillation");
      const side = (name: string, width: number) => graph.input(name, "float32", ["N", width]);
      const [text, code] = [side("text", WIDTH), side("code", WIDTH)];
      const teacher = { text: side(`${prefix}_text`, dim), code: side(`${prefix}_code`, dim) };
      const anchors = graph.input("anchors", "int32", ["B"]);
      const loss = distillationLoss(text, code, teacher, { kind, temperature, dim, weight: 1 }, anchors);
      const [ofText, ofCode] = gradients(loss, [text, code]);
      graph.output("loss", loss);
      graph.output("text_gradient", ofText!);
      graph.output("code_gradient", ofCode!);
      await withSession(
        { loss: graph },
        {},
        async (session) => {
          const found: Record<string, number[]> = {};
          for (let start = 0; start < 2 * PAIRS; start += 5) {
            const rows = Array.from({ length: Math.min(5, 2 * PAIRS - start) }, (_, i) => start + i);
            const given = { ...inputs, anchors: int32([rows.length], rows) };
            const taken = Object.entries(given).filter(([name]) => graph.inputs.has(name));
            for (const [name, value] of Object.entries(await session.run("loss", Object.fromEntries(taken)))) {
              found[name] = numbers(value).map((x, i) => x + (found[name]?.[i] ?? 0));
            }
          }
          for (const [name, values] of Object.entries(found)) {
            const wanted = numbers(expected[`${index}/${name}`]);
            const size = Math.max(1, ...wanted.map(Math.abs));
            expect(largestDifference(values, wanted) / size, `${kind} ${temperature} ${name}`).toBeLessThan(1e-5);
          }
          expect(Object.keys(found)).toHaveLength(3);
        },
        "onnxruntime",
      );
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
