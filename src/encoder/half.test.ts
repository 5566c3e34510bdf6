import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TEXTS } from "../../test/helpers/texts.js";
import { float32, Rng } from "../base/index.js";
import { initialise, sizeWith } from "../model/index.js";
import { trainTokenizer } from "../tokenizer/index.js";
import { saveHalf } from "./half.js";
import { openEncoder, readEncoder } from "./load.js";
import { saveEncoder, type EncoderParts } from "./save.js";

let folder: string;
let parts: EncoderParts;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-half-"));
  const tokenizer = await trainTokenizer(TEXTS, { vocabSize: 400 });
  const { vocabSize, padId, eosId, maskId } = tokenizer;
  const config = sizeWith("nano", {
    vocabSize,
    padId,
    eosId,
    maskId,
    width: 32,
    layers: 2,
    maxLength: 64,
    initStd: 0.2,
  });
  parts = { config, weights: initialise(config, Rng.fromSeed(2)), tokenizer, matryoshka: [32, 16] };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("two bytes a number, to the rounding of eleven bits; small and odd numbers too", async () => {
  const [full, half] = [join(folder, "full"), join(folder, "half")];
  const numbers = [0, -0, 1, 1 / 3, 65504, -1e-7, 6e-8, 1 + 2 ** -11, 1 + 3 * 2 ** -11];
  const bias = (parts.weights["h.0.attn.c_proj.bias"]!.data as Float32Array).slice();
  bias.set(numbers);
  const weights = { ...parts.weights, "h.0.attn.c_proj.bias": float32([32], bias) };
  await saveEncoder(full, { ...parts, weights });
  await saveHalf(half, { ...parts, weights });
  expect((await readdir(half)).some((name) => name.includes("onnx"))).toBe(false);
  const size = async (path: string): Promise<number> => (await stat(join(path, "model.safetensors"))).size;
  expect(await size(half)).toBeLessThan(0.52 * (await size(full)));
  const read = await readEncoder(half);
  expect(read.config).toEqual(parts.config);
  expect(read.matryoshka).toEqual([32, 16]);
  // Ties go to the even neighbour; what is below the smallest subnormal's half is 0.
  const expected = [0, -0, 1, 0.333251953125, 65504, -(2 ** -23), 2 ** -24, 1, 1 + 2 ** -9];
  expect([...(read.weights["h.0.attn.c_proj.bias"]!.data as Float32Array)].slice(0, 9)).toEqual(expected);
  for (const [name, { data }] of Object.entries(weights)) {
    const found = read.weights[name]!.data;
    data.forEach((value, i) => {
      const error = Math.abs(Number(found[i]) - Number(value));
      if (!(error <= 2 ** -11 * Math.abs(Number(value)) + 2 ** -25)) expect.fail(`${name} ${i}: ${value}`);
    });
  }
});

test("it embeds as the full form does, without an ONNX file", async () => {
  const [full, half] = [join(folder, "full-2"), join(folder, "half-2")];
  await saveEncoder(full, parts);
  await saveHalf(half, parts);
  const vectors: Float32Array[] = [];
  for (const path of [full, half]) {
    const encoder = await openEncoder(path, { threads: 1 });
    vectors.push(await encoder.embedAll(TEXTS.slice(0, 3)));
    await encoder.close();
  }
  expect(vectors[0]!.every((x, i) => Math.abs(x - vectors[1]![i]!) < 2e-3)).toBe(true);
  expect(vectors[0]).not.toEqual(vectors[1]);
});

test("numbers that half precision does not hold are refused", async () => {
  const bias = float32([32], new Float32Array(32).fill(70_000));
  const given = { ...parts, weights: { ...parts.weights, "ln_f.bias": bias } };
  await expect(saveHalf(join(folder, "large"), given)).rejects.toMatchObject({ code: "model.weights" });
});
