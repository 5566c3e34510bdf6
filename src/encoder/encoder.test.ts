import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TEXTS } from "../../test/helpers/texts.js";
import { largestDifference, noisyWeights, tinyConfig } from "../../test/helpers/encoders.js";
import { Rng, UserError } from "../base/index.js";
import type { ModelConfigInput } from "../model/index.js";
import { trainTokenizer, type Tokenizer } from "../tokenizer/index.js";
import { planBatches } from "./_batches.js";
import { encoderFromState, loadEncoder, readEncoder, saveEncoder, type Encoder } from "./index.js";

let folder: string;
let tokenizer: Tokenizer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-encoder-"));
  tokenizer = await trainTokenizer(TEXTS, { vocabSize: 400 });
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function open(overrides: Partial<ModelConfigInput> = {}): Promise<Encoder> {
  const config = tinyConfig(overrides);
  return encoderFromState({ config, weights: noisyWeights(config), tokenizer }, { threads: 1 });
}

async function collect(items: AsyncIterable<Float32Array>): Promise<Float32Array[]> {
  const all: Float32Array[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const MIXED = ["", "a", ...TEXTS, "return x", "😀", "a".repeat(500), "get user name"];

test("batches: by hand, and every row once within the budget", () => {
  expect(planBatches([2, 9, 3], 9)).toEqual([
    { rows: [1], length: 9 },
    { rows: [2, 0], length: 3 },
  ]);
  expect(planBatches([5, 5], 1)).toEqual([
    { rows: [0], length: 5 },
    { rows: [1], length: 5 },
  ]);
  const rng = Rng.fromSeed(1);
  const lengths = Array.from({ length: 200 }, () => 1 + rng.int(60));
  const batches = planBatches(lengths, 128);
  expect(batches.flatMap(({ rows }) => rows).sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
  for (const { rows, length } of batches) {
    expect(rows.length * length).toBeLessThanOrEqual(128);
    expect(Math.max(...rows.map((row) => lengths[row]!))).toBe(length);
  }
});

describe("embed", () => {
  let encoder: Encoder;
  beforeAll(async () => {
    encoder = await open();
  });
  afterAll(() => encoder.close());

  test("gives unit vectors in the order of the texts, whatever the batches and windows", async () => {
    const all = await encoder.embedAll(MIXED);
    expect(all.length).toBe(MIXED.length * 32);
    for (const options of [{ batchTokens: 1 }, { window: 3 }, { batchTokens: 100, window: 7 }]) {
      expect(largestDifference(await encoder.embedAll(MIXED, options), all)).toBeLessThan(1e-6);
    }
    for (const [i, text] of MIXED.entries()) {
      const vector = all.subarray(i * 32, (i + 1) * 32);
      expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
      expect(largestDifference(await encoder.embedAll([text]), vector)).toBeLessThan(1e-6);
    }
    expect(largestDifference(all.subarray(0, 32), all.subarray(32, 64))).toBeGreaterThan(0.01);
  });

  test("takes async iterables, reads ahead one window at most, and closes them when stopped", async () => {
    let read = 0;
    let closed = false;
    async function* source(): AsyncGenerator<string> {
      try {
        for (; read < 1000;) yield await Promise.resolve(TEXTS[read++ % TEXTS.length]!);
      } finally {
        closed = true;
      }
    }
    let seen = 0;
    for await (const vector of encoder.embed(source(), { window: 10 })) {
      expect(vector.length).toBe(32);
      seen += 1;
      expect(read - seen).toBeLessThan(30);
      if (seen === 35) break;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(closed).toBe(true);
  });

  test("no texts, one empty text", async () => {
    expect(await collect(encoder.embed([]))).toEqual([]);
    const [vector] = await collect(encoder.embed([""]));
    expect(Math.hypot(...vector!)).toBeCloseTo(1, 5);
  });

  test("a longer text counts only up to the maximal length", async () => {
    const long = TEXTS[0]!;
    const changed = long.slice(0, 300) + "entirely different ending";
    const [a, b] = await collect(encoder.embed([long, changed], { maxLength: 20 }));
    expect(a).toEqual(b);
    await expect(encoder.embedAll(["x"], { maxLength: 49 })).rejects.toMatchObject({ code: "embed.max-length" });
  });

  test("an error of the source and an abort reach the caller", async () => {
    const bad = (function* (): Generator<string> {
      yield "fine";
      throw new Error("the source broke");
    })();
    await expect(encoder.embedAll(bad)).rejects.toThrow("the source broke");
    const controller = new AbortController();
    const run = async (): Promise<void> => {
      for await (const vector of encoder.embed(MIXED, { window: 2, signal: controller.signal })) {
        if (vector.length > 0) controller.abort(new Error("stopped by the test"));
      }
    };
    await expect(run()).rejects.toThrow("stopped by the test");
  });

  test("progress ends with all texts done", async () => {
    const done: number[] = [];
    await encoder.embedAll(MIXED, { onProgress: (event) => done.push(event.done) });
    expect(done.at(-1)).toBe(MIXED.length);
  });
});

describe("a model folder", () => {
  const forms: Record<string, Partial<ModelConfigInput>> = {
    paper: { layers: 2 },
    weighted: { pooling: "weighted" },
    "residual attention": { pooling: "attention", poolStates: "residual" },
    "static bag": { layers: 0, positions: false, finalNorm: false, pooling: "weighted" },
  };
  for (const [name, overrides] of Object.entries(forms)) {
    test(`${name}: loads as saved, and gives the vectors of the weights in memory`, async () => {
      const path = join(folder, name);
      const config = tinyConfig(overrides);
      const parts = { config, weights: noisyWeights(config), tokenizer };
      await saveEncoder(path, parts);
      const memory = await encoderFromState(parts, { threads: 1 });
      const loaded = await loadEncoder(path, { threads: 1 });
      try {
        expect(loaded.config).toEqual(config);
        expect(loaded.tokenizer.hash).toBe(tokenizer.hash);
        const [a, b] = [await memory.embedAll(MIXED), await loaded.embedAll(MIXED)];
        expect(largestDifference(a, b)).toBeLessThan(1e-5);
      } finally {
        await Promise.all([memory.close(), loaded.close()]);
      }
      const read = await readEncoder(path);
      expect(read.config).toEqual(config);
      expect(Object.keys(read.weights)).toEqual(Object.keys(parts.weights));
      for (const [key, value] of Object.entries(parts.weights)) expect(read.weights[key]).toEqual(value);
    });
  }

  test("pooling matches arithmetic done by hand on the static bag", async () => {
    const config = tinyConfig({ layers: 0, positions: false, finalNorm: false, pooling: "weighted" });
    const weights = noisyWeights(config);
    const encoder = await encoderFromState({ config, weights, tokenizer }, { threads: 1 });
    const ids = await tokenizer.encodeForModel("get user name", 48);
    const expected = new Float64Array(32);
    for (const id of ids) {
      const weight = Math.log1p(Math.exp(weights["pool.token_weight.weight"]!.data[id] as number));
      for (let k = 0; k < 32; k++) expected[k]! += weight * (weights["wte.weight"]!.data[id * 32 + k] as number);
    }
    const norm = Math.hypot(...expected);
    const [vector] = await collect(encoder.embed(["get user name"]));
    await encoder.close();
    expect(
      largestDifference(
        vector!,
        expected.map((value) => value / norm),
      ),
    ).toBeLessThan(1e-6);
  });

  test("names every file in its checksums, which are exact", async () => {
    const path = join(folder, "listed");
    const config = tinyConfig();
    await saveEncoder(path, { config, weights: noisyWeights(config), tokenizer });
    const { sha256 } = JSON.parse(await readFile(join(path, "checksums.json"), "utf8")) as {
      sha256: Record<string, string>;
    };
    expect(Object.keys(sha256).sort()).toEqual([
      "1_Pooling/config.json",
      "2_Normalize/config.json",
      "config.json",
      "model.onnx",
      "model.safetensors",
      "modules.json",
      "sentence_bert_config.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
  });

  test("weights that do not fit and a tokenizer of another size are refused before anything is written", async () => {
    const config = tinyConfig();
    const weights = noisyWeights(config);
    const path = join(folder, "refused");
    const codeOf = (run: Promise<unknown>): Promise<unknown> =>
      run.catch((error: unknown) => (error instanceof UserError ? `${error.code}: ${error.message}` : error));
    const { "ln_f.bias": dropped, ...rest } = weights;
    expect(dropped).toBeDefined();
    expect(await codeOf(saveEncoder(path, { config, weights: rest, tokenizer }))).toBe(
      "model.weights: weights: expected ln_f.bias float32[32], got none",
    );
    const small = tinyConfig({ vocabSize: 399 });
    expect(await codeOf(saveEncoder(path, { config: small, weights, tokenizer }))).toMatch(/^model\.wrong-tokenizer/);
    const other = tinyConfig({ maskId: 5 });
    expect(await codeOf(encoderFromState({ config: other, weights, tokenizer }))).toBe(
      "model.wrong-tokenizer: tokenizer: expected mask token 5, as the model has, got 2",
    );
    await expect(readFile(join(path, "config.json"))).rejects.toThrow("ENOENT");
  });
});
