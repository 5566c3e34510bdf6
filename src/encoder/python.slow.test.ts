import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { largestDifference, noisyWeights, tinyConfig } from "../../test/helpers/encoders.js";
import { python, testWithPython } from "../../test/helpers/requires.js";
import { TEXTS } from "../../test/helpers/texts.js";
import { trainTokenizer, type Tokenizer } from "../tokenizer/index.js";
import { loadEncoder, saveEncoder } from "./index.js";

let folder: string;
let tokenizer: Tokenizer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-encoder-"));
  tokenizer = await trainTokenizer(TEXTS, { vocabSize: 400, splitIdentifiers: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const MIXED = [...TEXTS, "return x", "😀 e\u0301", "a".repeat(500), "get user name"];

/** Runs a script with the texts on standard input; it prints a JSON array of rows for each model. */
function vectorsFrom(script: string, models: readonly string[]): number[][] {
  const { stdout, stderr, status } = spawnSync(python!, ["-c", script, ...models], {
    input: JSON.stringify(MIXED),
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    env: { ...process.env, HF_HUB_OFFLINE: "1", TRANSFORMERS_OFFLINE: "1" },
  });
  if (status !== 0) throw new Error(stderr);
  expect(stderr).not.toMatch(/newly initialized|MISSING/);
  return (JSON.parse(stdout) as number[][][]).map((rows) => rows.flat());
}

/** ONNX Runtime and tokenizers alone, as anyone would write it; pooling and normalisation come from the file. */
const ONNXRUNTIME = `
import json, sys
import numpy as np, onnxruntime
from tokenizers import Tokenizer
texts, found = json.load(sys.stdin), []
for folder in sys.argv[1:]:
    config = json.load(open(folder + "/config.json"))
    tokenizer = Tokenizer.from_file(folder + "/tokenizer.json")
    tokenizer.enable_truncation(config["lodestone"]["model"]["maxLength"])
    tokenizer.enable_padding(pad_id=config["pad_token_id"], pad_token="<pad>")
    batch = tokenizer.encode_batch(texts)
    feed = {
        "input_ids": np.array([e.ids for e in batch], np.int64),
        "attention_mask": np.array([e.attention_mask for e in batch], np.int64),
    }
    session = onnxruntime.InferenceSession(folder + "/model.onnx", providers=["CPUExecutionProvider"])
    found.append(session.run(["sentence_embedding"], feed)[0].tolist())
print(json.dumps(found))
`;

const SENTENCE_TRANSFORMERS = `
import json, sys
from sentence_transformers import SentenceTransformer
texts = json.load(sys.stdin)
models = [SentenceTransformer(folder, device="cpu") for folder in sys.argv[1:]]
print(json.dumps([model.encode(texts).tolist() for model in models]))
`;

/** Saves a model of each kind and compares what the script makes of all of them, in one process, with what we do. */
async function compare(
  script: string,
  kinds: Readonly<Record<string, Parameters<typeof tinyConfig>[0]>>,
): Promise<void> {
  const ours: Float32Array[] = [];
  const paths: string[] = [];
  for (const [name, overrides] of Object.entries(kinds)) {
    const path = join(folder, name);
    const config = tinyConfig({ layers: 2, ...overrides });
    await saveEncoder(path, { config, weights: noisyWeights(config), tokenizer });
    const encoder = await loadEncoder(path, { threads: 1 });
    ours.push(await encoder.embedAll(MIXED));
    await encoder.close();
    paths.push(path);
  }
  const theirs = vectorsFrom(script, paths);
  expect(theirs).toHaveLength(ours.length);
  ours.forEach((vectors, i) => expect(largestDifference(vectors, theirs[i]!), paths[i]).toBeLessThan(1e-5));
}

testWithPython("Python's ONNX Runtime and tokenizers give our vectors", () =>
  compare(ONNXRUNTIME, {
    "onnx-mean": {},
    "onnx-bag": { layers: 0, positions: false, finalNorm: false, pooling: "weighted" },
  }),
);

testWithPython("sentence-transformers opens the folder as it is and gives our vectors", () =>
  compare(SENTENCE_TRANSFORMERS, { "st-mean": {}, "st-weighted": { pooling: "weighted", gelu: "none" } }),
);
