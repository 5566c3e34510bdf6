import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";
import { readSafetensors, Rng, tensor, writeSafetensors, type Tensor } from "../base/index.js";
import { Graph } from "../graph/index.js";
import { python, testWithPython } from "../../test/helpers/requires.js";
import { numbers, runGraph, type EngineName } from "../../test/helpers/run-graph.js";
import { declareParameters, encode, encoderGraph, initialise, sizeWith } from "./index.js";
import type { ModelConfig } from "./index.js";

const BATCH = 4;
const LENGTH = 24;

const int64 = (values: readonly number[]): Tensor =>
  tensor(
    "int64",
    [BATCH, LENGTH],
    BigInt64Array.from(values, (value) => BigInt(value)),
  );

/** Weights well away from their initial values (biases and LayerNorm included), random texts, segments, positions. */
function example(config: ModelConfig): { weights: Record<string, Tensor>; data: Record<string, Tensor> } {
  const rng = Rng.fromSeed(11);
  const weights = initialise(config, rng);
  for (const { data } of Object.values(weights)) data.forEach((x, i) => (data[i] = x + 0.1 * rng.normal()));
  const ids: number[] = [];
  const mask: number[] = [];
  const segments: number[] = [];
  const positions: number[] = [];
  for (let row = 0; row < BATCH; row++) {
    const real = row === 0 ? LENGTH : 5 + rng.int(LENGTH - 5);
    let segment = 1;
    let position = 0;
    for (let column = 0; column < LENGTH; column++) {
      const inside = column < real;
      ids.push(inside ? 3 + rng.int(config.vocabSize - 3) : config.padId);
      mask.push(inside ? 1 : 0);
      segments.push(inside ? segment : 0);
      positions.push(inside ? position : 0);
      position += 1;
      if (rng.uniform() < 0.2) [segment, position] = [segment + 1, 0];
    }
  }
  const data = {
    input_ids: int64(ids),
    attention_mask: int64(mask),
    segments: int64(segments),
    positions: int64(positions),
  };
  return { weights, data };
}

function segmentGraph(config: ModelConfig): Graph {
  const graph = new Graph("segments");
  const input = (name: string) => graph.input(name, "int64", ["B", "T"]);
  const inputs = { inputIds: input("input_ids"), segments: input("segments"), positions: input("positions") };
  graph.output("last_hidden_state", encode(declareParameters(graph, config), config, inputs).final);
  return graph;
}

for (const gelu of ["tanh", "none"] as const) {
  testWithPython(`agrees with transformers' GPT-2 and XLM-RoBERTa-XL to 1e-4 (gelu ${gelu})`, async () => {
    const config = sizeWith("nano", { layers: 3, width: 64, vocabSize: 80, maxLength: 32, gelu });
    const { weights, data } = example(config);
    const folder = await mkdtemp(join(tmpdir(), "lodestone-agreement-"));
    try {
      const [input, output] = [join(folder, "in.safetensors"), join(folder, "out.safetensors")];
      await writeSafetensors(
        input,
        { ...weights, ...data },
        {
          heads: String(config.heads),
          eps: String(config.layerNormEps),
          activation: gelu === "tanh" ? "gelu_new" : "gelu",
          pad_id: String(config.padId),
        },
      );
      const script = fileURLToPath(new URL("agreement.py", import.meta.url));
      await promisify(execFile)(python!, [script, input, output], { env: { ...process.env, HF_HUB_OFFLINE: "1" } });
      const { tensors: theirs } = await readSafetensors(output);

      const real = numbers(data["attention_mask"]).map((x) => x === 1);
      const distance = (ours: Tensor, expected: Tensor): number => {
        const [a, b] = [numbers(ours), numbers(expected)];
        return Math.max(...a.map((x, i) => (real[Math.floor(i / config.width)]! ? Math.abs(x - b[i]!) : 0)));
      };
      const { input_ids, attention_mask, segments, positions } = data as Record<string, Tensor> & typeof data;
      for (const engine of ["reference", "onnxruntime"] satisfies EngineName[]) {
        const padded = await runGraph(
          encoderGraph(config),
          { input_ids: input_ids!, attention_mask: attention_mask! },
          weights,
          engine,
        );
        const ours = padded["last_hidden_state"]!;
        expect(distance(ours, theirs["gpt2_padding"]!), `${engine}, GPT-2, padding`).toBeLessThan(1e-4);
        expect(distance(ours, theirs["xlm_roberta_xl"]!), `${engine}, XLM-RoBERTa-XL`).toBeLessThan(1e-4);
        const blocks = await runGraph(
          segmentGraph(config),
          { input_ids: input_ids!, segments: segments!, positions: positions! },
          weights,
          engine,
        );
        const byBlock = blocks["last_hidden_state"]!;
        expect(distance(byBlock, theirs["gpt2_segments"]!), `${engine}, GPT-2, segments`).toBeLessThan(1e-4);
        // The comparison means something only if masks matter.
        expect(distance(byBlock, theirs["gpt2_padding"]!)).toBeGreaterThan(0.1);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}
