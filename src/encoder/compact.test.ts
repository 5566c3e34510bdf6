import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TEXTS as LONG } from "../../test/helpers/texts.js";
import { Rng } from "../base/index.js";
import { initialise, sizeWith } from "../model/index.js";
import { trainTokenizer, type Tokenizer } from "../tokenizer/index.js";
import { saveCompact } from "./compact.js";
import { openEncoder, readEncoder } from "./load.js";
import { saveEncoder, type EncoderParts } from "./save.js";
import { StaticEncoder } from "./static.js";

const TEXTS = ["Opens a file.", "def open_file(path): return open(path)", "", "sum of two numbers", "x".repeat(500)];
let folder: string;
let parts: EncoderParts;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-compact-"));
  const tokenizer: Tokenizer = await trainTokenizer(LONG, { vocabSize: 400 });
  const { vocabSize, padId, eosId, maskId } = tokenizer;
  const config = sizeWith("bag", { vocabSize, padId, eosId, maskId, width: 48, maxLength: 128 });
  const rng = Rng.fromSeed(2);
  const weights = initialise(config, rng);
  const scales = weights["pool.token_weight.weight"]!.data;
  for (let i = 0; i < scales.length; i++) scales[i] = 2 * rng.normal();
  parts = { config, weights, tokenizer };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const cosine = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

test("a byte a number: a quarter of the size, vectors that point the same way", async () => {
  const [whole, compact] = [join(folder, "whole"), join(folder, "compact")];
  await saveEncoder(whole, parts);
  await saveCompact(compact, parts);
  expect((await readdir(compact)).sort()).toEqual([
    "checksums.json",
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
  ]);
  const size = async (path: string): Promise<number> => (await stat(join(path, "model.safetensors"))).size;
  expect(await size(compact)).toBeLessThan(0.3 * (await size(whole)));
  const [exact, small] = [await openEncoder(whole), await openEncoder(compact)];
  expect(small).toBeInstanceOf(StaticEncoder);
  // The bytes as they are give the very vectors of the table that they stand for.
  expect(await new StaticEncoder(await readEncoder(compact)).embedAll(TEXTS)).toEqual(await small.embedAll(TEXTS));
  const rows = (all: Float32Array) => TEXTS.map((_, i) => all.subarray(48 * i, 48 * (i + 1)));
  const [a, b] = [rows(await exact.embedAll(TEXTS)), rows(await small.embedAll(TEXTS))];
  for (const [i, row] of a.entries()) expect(cosine(row, b[i]!)).toBeGreaterThan(0.9995);
  expect(cosine(a[0]!, b[1]!)).toBeLessThan(0.9);
});

test("rows that do not fill vectors of 16 numbers", async () => {
  const { vocabSize, padId, eosId, maskId } = parts.tokenizer;
  const config = sizeWith("bag", { vocabSize, padId, eosId, maskId, width: 38, maxLength: 16, repetition: 0.5 });
  const compact = join(folder, "narrow");
  await saveCompact(compact, { ...parts, config, weights: initialise(config, Rng.fromSeed(3)) });
  const vectors = await (await openEncoder(compact)).embedAll(TEXTS);
  expect(vectors).toEqual(await new StaticEncoder(await readEncoder(compact)).embedAll(TEXTS));
  expect(vectors.some((value) => value !== 0)).toBe(true);
});

test("rounding is at most half a step of the row, whose largest number is exact", async () => {
  const compact = join(folder, "rounding");
  await saveCompact(compact, parts);
  const { config, weights } = await readEncoder(compact);
  expect(config).toMatchObject({ pooling: "mean", layers: 0 });
  const [stored, table] = [
    weights["wte.weight"]!.data as Float32Array,
    parts.weights["wte.weight"]!.data as Float32Array,
  ];
  const raw = parts.weights["pool.token_weight.weight"]!.data as Float32Array;
  for (let row = 0; row < config.vocabSize; row++) {
    const scale = Math.log1p(Math.exp(raw[row]!));
    const exact = Array.from(table.subarray(48 * row, 48 * (row + 1)), (value) => value * scale);
    const largest = Math.max(...exact.map(Math.abs));
    exact.forEach((value, i) => {
      expect(Math.abs(stored[48 * row + i]! - value)).toBeLessThanOrEqual((largest / 127) * 0.5001 + 1e-7);
      if (Math.abs(value) === largest) expect(stored[48 * row + i]!).toBeCloseTo(value, 5);
    });
  }
});

test("a model with blocks is refused, and a damaged file is found", async () => {
  const { vocabSize, padId, eosId, maskId } = parts.tokenizer;
  const config = sizeWith("nano", { vocabSize, padId, eosId, maskId, layers: 1 });
  await expect(saveCompact(join(folder, "no"), { ...parts, config })).rejects.toMatchObject({
    code: "model.not-static",
  });
  const damaged = join(folder, "damaged");
  await saveCompact(damaged, parts);
  await writeFile(join(damaged, "model.safetensors"), "x");
  await expect(openEncoder(damaged)).rejects.toMatchObject({ code: "model.corrupt" });
});
