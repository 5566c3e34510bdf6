import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";
import { float32, int32, readSafetensors, Rng, writeSafetensors, type Tensor } from "../../base/index.js";
import { sizeWith } from "../../model/index.js";
import { python, testWithPython } from "../../../test/helpers/requires.js";
import { largestDifference, numbers, withSession } from "../../../test/helpers/run-graph.js";
import { accumulatorName } from "../optimizer/index.js";
import { lossRows } from "../programs/index.js";
import { LOG_TEMPERATURE, lossParameters, PAPER_CONTRASTIVE, type ContrastiveOptions } from "./index.js";

const ORACLE = fileURLToPath(new URL("contrastive.py", import.meta.url));
const WIDTH = 16;
const PAIRS = 12;

const weightings = [
  { weighting: "none" },
  { weighting: "hard", normalisation: "paper" },
  { weighting: "hard", normalisation: "paper", detach: true },
  { weighting: "hard", normalisation: "scaled" },
  { weighting: "hard", normalisation: "scaled", detach: true },
] as const;
const extras = [
  {},
  { duplicates: "mask" },
  { temperature: { learn: 0.08 } },
  { matryoshka: { dims: [WIDTH, 8, 4], weights: [1, 0.5, 2] } },
  { duplicates: "mask", temperature: { learn: 0.3 }, matryoshka: { dims: [8, 4] } },
] as const;
const cases: readonly ContrastiveOptions[] = weightings.flatMap((weighting) =>
  extras.map((extra) => ({ ...PAPER_CONTRASTIVE, ...weighting, ...extra })),
);

testWithPython("the program in blocks agrees with PyTorch in float64 to 1e-5, whatever the options", async () => {
  const rng = Rng.fromSeed(31);
  const unit = (v: readonly number[]): number[] => v.map((x) => x / Math.hypot(...v));
  const text = Array.from({ length: PAIRS }, () => unit(Array.from({ length: WIDTH }, () => rng.normal())));
  const code = text.map((v) => unit(v.map((x) => x + 0.3 * rng.normal())));
  const numbered = (): Tensor =>
    int32(
      [PAIRS],
      Array.from({ length: PAIRS }, () => rng.int(8)),
    );
  const inputs = {
    text: float32([PAIRS, WIDTH], text.flat()),
    code: float32([PAIRS, WIDTH], code.flat()),
    text_group: numbered(),
    code_group: numbered(),
  };
  const config = sizeWith("nano", { width: WIDTH, heads: 2 });
  const folder = await mkdtemp(join(tmpdir(), "lodestone-contrastive-"));
  try {
    const [input, output] = [join(folder, "in.safetensors"), join(folder, "out.safetensors")];
    await writeSafetensors(input, inputs, { cases: JSON.stringify(cases) });
    await promisify(execFile)(python!, [ORACLE, input, output]);
    const { tensors: expected } = await readSafetensors(output);
    for (const [index, options] of cases.entries()) {
      const name = JSON.stringify(options);
      const { initial } = lossParameters(options.temperature);
      const sums = Object.fromEntries(Object.keys(initial).map((key) => [accumulatorName(key), float32([1], [0])]));
      const graph = lossRows(config, options, "bimodal");
      await withSession(
        { loss: graph },
        { ...initial, ...sums },
        async (session) => {
          const found: Record<string, number[]> = {};
          for (let start = 0; start < 2 * PAIRS; start += 7) {
            const rows = Array.from({ length: Math.min(7, 2 * PAIRS - start) }, (_, i) => start + i);
            const groups = options.duplicates === "mask" ? { ...inputs } : {};
            const given = { ...groups, first: inputs.text, second: inputs.code, anchors: int32([rows.length], rows) };
            const taken = Object.entries(given).filter(([key]) => graph.inputs.has(key));
            for (const [key, value] of Object.entries(await session.run("loss", Object.fromEntries(taken)))) {
              found[key] = numbers(value).map((x, i) => x + (found[key]?.[i] ?? 0));
            }
          }
          const close = (left: readonly number[] | undefined, right: Tensor | undefined, what: string): void => {
            const wanted = numbers(right);
            const size = Math.max(1, ...wanted.map(Math.abs));
            expect(largestDifference(left!, wanted) / size, `${what}: ${name}`).toBeLessThan(1e-5);
          };
          close(found["loss"], expected[`${index}/loss`], "loss");
          close(found["first_gradient"], expected[`${index}/text_gradient`], "text");
          close(found["second_gradient"], expected[`${index}/code_gradient`], "code");
          if (typeof options.temperature === "number") return;
          const accumulated = await session.read([accumulatorName(LOG_TEMPERATURE)]);
          close(numbers(Object.values(accumulated)[0]), expected[`${index}/temperature_gradient`], "temperature");
        },
        "onnxruntime",
      );
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
