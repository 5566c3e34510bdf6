import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noisyWeights, tinyConfig } from "../../test/helpers/encoders.js";
import { TEXTS } from "../../test/helpers/texts.js";
import { sha256, UserError } from "../base/index.js";
import { loadTokenizer, trainTokenizer, type Tokenizer } from "../tokenizer/index.js";
import { writeOnnx } from "./_write-onnx.js";
import { loadEncoder, readEncoder, saveEncoder } from "./index.js";
import { openOnnxFile } from "../engine/index.js";

let folder: string;
let good: string;
let tokenizer: Tokenizer;
const config = tinyConfig();
const weights = noisyWeights(config);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-encoder-"));
  good = join(folder, "good");
  tokenizer = await trainTokenizer(TEXTS, { vocabSize: 400 });
  await saveEncoder(good, { config, weights, tokenizer });
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A copy of the good folder to spoil. */
async function copy(name: string): Promise<string> {
  const path = join(folder, name);
  await cp(good, path, { recursive: true });
  return path;
}

async function failure(run: Promise<unknown>): Promise<UserError> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw new Error(`expected a UserError, got ${String(error)}`);
  return error;
}

test("a changed byte in any file that is used: the file, the expected and the found hash, the fix", async () => {
  for (const [name, read] of [
    ["model.onnx", loadEncoder],
    ["tokenizer.json", loadEncoder],
    ["tokenizer_config.json", loadEncoder],
    ["config.json", loadEncoder],
    ["model.safetensors", readEncoder],
  ] as const) {
    const spoilt = await copy(`spoilt-${name}`);
    const path = join(spoilt, name);
    const bytes = await readFile(path);
    const expected = sha256(bytes);
    bytes[Math.floor(bytes.length / 2)]! ^= 1;
    await writeFile(path, bytes);
    const error = await failure(read(spoilt));
    if (name === "tokenizer.json" && error.code === "model.wrong-tokenizer") continue; // It is still a tokenizer.
    expect(error.code).toBe("model.corrupt");
    expect(error.message).toBe(`${path}: expected SHA-256 ${expected}, got ${sha256(bytes)}`);
    expect(error.fix).toMatch(/again/);
  }
});

test("a damaged file that embedding does not need does not stop embedding", async () => {
  const spoilt = await copy("weights-gone");
  await rm(join(spoilt, "model.safetensors"));
  await (await loadEncoder(spoilt, { threads: 1 })).close();
  expect((await failure(readEncoder(spoilt))).code).toBe("model.missing-file");
});

test("a missing file, a folder that is none, an incomplete folder", async () => {
  const gone = await copy("gone");
  await rm(join(gone, "model.onnx"));
  const error = await failure(loadEncoder(gone));
  expect(error.code).toBe("model.missing-file");
  expect(error.message).toContain(join(gone, "model.onnx"));
  expect(error.message).toContain("ENOENT");
  expect((await failure(loadEncoder(join(folder, "nowhere")))).code).toBe("model.missing");
  await rm(join(gone, "checksums.json"));
  expect((await failure(loadEncoder(gone))).code).toBe("model.missing");
  await writeFile(join(gone, "checksums.json"), "{");
  expect((await failure(loadEncoder(gone))).code).toBe("model.corrupt");
});

test("another tokenizer than the model's is refused, in the folder and as an option", async () => {
  const other = await trainTokenizer(
    [...TEXTS].map((text) => text.toUpperCase()),
    { vocabSize: 400 },
  );
  const swapped = await copy("swapped");
  await other.save(swapped);
  const inFolder = await failure(loadEncoder(swapped));
  const asOption = await failure(loadEncoder(good, { tokenizer: other }));
  for (const error of [inFolder, asOption]) {
    expect(error.code).toBe("model.wrong-tokenizer");
    expect(error.message).toContain(tokenizer.hash);
    expect(error.message).toContain(other.hash);
  }
  const same = await loadEncoder(good, { tokenizer: await loadTokenizer(good), threads: 1 });
  await same.close();
});

test("an existing model folder is replaced whole; other folders are left alone", async () => {
  const path = await copy("replaced");
  await writeFile(join(path, "extra.txt"), "stays only as long as the old model");
  const second = { config, weights: noisyWeights(config), tokenizer };
  second.weights["ln_f.bias"]!.data[0] = 7;
  await saveEncoder(path, second);
  expect((await readEncoder(path)).weights["ln_f.bias"]!.data[0]).toBe(7);
  expect(await readdir(path)).not.toContain("extra.txt");

  const foreign = join(folder, "foreign");
  await mkdir(foreign);
  await writeFile(join(foreign, "thesis.txt"), "precious");
  expect((await failure(saveEncoder(foreign, second))).code).toBe("output.not-ours");
  expect(await readFile(join(foreign, "thesis.txt"), "utf8")).toBe("precious");
  expect((await readdir(folder)).filter((name) => name.startsWith("."))).toEqual([]);
});

test("an output that cannot be written is said clearly", async () => {
  const error = await failure(saveEncoder(join(good, "config.json", "below"), { config, weights, tokenizer }));
  expect(error.code).toBe("output.unwritable");
});

test("weights beside the model file give the same vectors", async () => {
  const outputs: ArrayLike<number>[] = [];
  for (const [name, limit] of [
    ["inside", 2 ** 30],
    ["beside", 0],
  ] as const) {
    const path = join(folder, name);
    await mkdir(path);
    const files = await writeOnnx(path, config, weights, limit);
    expect(files).toEqual(name === "inside" ? ["model.onnx"] : ["model.onnx", "model.onnx.data"]);
    const session = await openOnnxFile(join(path, "model.onnx"), { threads: 1 });
    const result = await session.run("main", {
      input_ids: { dtype: "int64", dims: [1, 3], data: BigInt64Array.of(40n, 50n, 1n) },
      attention_mask: { dtype: "int64", dims: [1, 3], data: BigInt64Array.of(1n, 1n, 1n) },
    });
    outputs.push(result["sentence_embedding"]!.data as Float32Array);
    await session.close();
  }
  expect(outputs[1]).toEqual(outputs[0]);
});

test("lengths that vectors were trained to be cut to are kept with the model", async () => {
  const path = join(folder, "matryoshka");
  await saveEncoder(path, { config, weights, tokenizer, matryoshka: [8, 4] });
  const written = JSON.parse(await readFile(join(path, "config.json"), "utf8")) as {
    lodestone: { matryoshka: number[] };
  };
  expect(written.lodestone.matryoshka).toEqual([8, 4]);
  expect((await readEncoder(path)).matryoshka).toEqual([8, 4]);
  expect((await readEncoder(good)).matryoshka).toBeUndefined();
});
