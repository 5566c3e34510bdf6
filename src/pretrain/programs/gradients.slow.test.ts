import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";
import { float32, int32, readSafetensors, Rng, tensor, writeSafetensors, type Tensor } from "../../base/index.js";
import { initialise, sizeWith } from "../../model/index.js";
import { python, testWithPython } from "../../../test/helpers/requires.js";
import { largestDifference, numbers, withSession } from "../../../test/helpers/run-graph.js";
import { accumulators } from "../optimizer/index.js";
import { stage1Accumulate, trainedShapes } from "./index.js";

const ORACLE = fileURLToPath(new URL("../../model/agreement.py", import.meta.url));
const BATCH = 3;
const LENGTH = 20;
const MASKED = 9;

testWithPython("stage 1: loss and every gradient agree with PyTorch's autograd over transformers' GPT-2", async () => {
  const config = sizeWith("nano", { layers: 2, width: 64, vocabSize: 80, maxLength: 32, dropout: 0 });
  const rng = Rng.fromSeed(21);
  const weights = initialise(config, rng);
  for (const { data } of Object.values(weights)) data.forEach((x, i) => (data[i] = x + 0.1 * rng.normal()));

  const places = Array.from({ length: BATCH * LENGTH }, (_, i) => i);
  const column = (i: number): number => i % LENGTH;
  const batch = {
    input_ids: places.map(() => rng.int(config.vocabSize)),
    // Two documents of 8 and 9 tokens and padding in every row.
    segments: places.map((i) => (column(i) < 8 ? 1 : column(i) < 17 ? 2 : 0)),
    positions: places.map((i) => (column(i) < 8 ? column(i) : Math.max(0, column(i) - 8) % 9)),
    masked_index: rng.shuffle(places.filter((i) => column(i) < 17)).slice(0, MASKED),
    masked_label: Array.from({ length: MASKED }, () => rng.int(config.vocabSize)),
  };
  const int64 = (values: readonly number[]): Tensor =>
    tensor(
      "int64",
      values.length === MASKED ? [MASKED] : [BATCH, LENGTH],
      BigInt64Array.from(values, (value) => BigInt(value)),
    );

  const folder = await mkdtemp(join(tmpdir(), "lodestone-gradients-"));
  try {
    const [input, output] = [join(folder, "in.safetensors"), join(folder, "out.safetensors")];
    const data = Object.fromEntries(Object.entries(batch).map(([name, values]) => [name, int64(values)]));
    const mask = int64(batch.segments.map((segment) => (segment === 0 ? 0 : 1)));
    const meta = { heads: "4", eps: "1e-5", activation: "gelu_new", pad_id: "0" };
    await writeSafetensors(input, { ...weights, ...data, attention_mask: mask }, meta);
    await promisify(execFile)(python!, [ORACLE, input, output], { env: { ...process.env, HF_HUB_OFFLINE: "1" } });
    const { tensors: theirs } = await readSafetensors(output);

    const shapes = trainedShapes(config, "stage1");
    const ours = {
      ...Object.fromEntries(
        Object.entries(batch).map(([name, values]) => [
          name,
          int32(values.length === MASKED ? [MASKED] : [BATCH, LENGTH], values),
        ]),
      ),
      masked_weight: float32([MASKED], new Array<number>(MASKED).fill(1 / MASKED)),
      objective: int32([MASKED], new Array<number>(MASKED).fill(0)),
      row_ids: int32([BATCH], [0, 1, 2]),
      dropout_key: int32([2], [0, 0]),
    };
    for (const engine of ["reference", "onnxruntime"] as const) {
      await withSession(
        { accumulate: stage1Accumulate(config) },
        { ...weights, ...accumulators(shapes) },
        async (session) => {
          const { loss } = await session.run("accumulate", ours);
          expect(numbers(loss)[0], engine).toBeCloseTo(numbers(theirs["loss"])[0]!, 4);
          const found = await session.read(Object.keys(shapes).map((name) => `grad/${name}`));
          for (const [name, value] of Object.entries(found)) {
            const expected = numbers(theirs[name]);
            const size = Math.max(...expected.map(Math.abs));
            expect(largestDifference(numbers(value), expected), `${engine}, ${name}`).toBeLessThan(1e-6 + 1e-4 * size);
          }
        },
        engine,
      );
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
