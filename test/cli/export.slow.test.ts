import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { Rng } from "../../src/base/index.js";
import { saveEncoder } from "../../src/encoder/index.js";
import { initialise, sizeWith } from "../../src/model/index.js";
import { trainTokenizer } from "../../src/tokenizer/index.js";
import { expectComplaint, lodestone, temporaryFolder } from "../helpers/cli.js";
import { writeModel } from "../helpers/model.js";
import { TEXTS } from "../helpers/texts.js";

let folder: string;
let bag: string;
beforeAll(async () => {
  folder = await temporaryFolder("export");
  bag = join(folder, "bag");
  const tokenizer = await trainTokenizer(TEXTS, { vocabSize: 400 });
  const { vocabSize, padId, eosId, maskId } = tokenizer;
  const config = sizeWith("bag", { vocabSize, padId, eosId, maskId, width: 32, maxLength: 64 });
  await saveEncoder(bag, { config, weights: initialise(config, Rng.fromSeed(1)), tokenizer });
});

test("a bag in its static form embeds as it did, to the rounding of a byte", async () => {
  const out = join(folder, "static");
  const { code, stdout, stderr } = await lodestone(["export", "--model", bag, "--out", out]);
  expect(code, stderr).toBe(0);
  expect(stdout).toBe(`${out}\n`);
  const input = "def add(a, b): return a + b";
  const [before, after] = await Promise.all(
    [bag, out].map(async (model) => JSON.parse((await lodestone(["embed", "--model", model], { input })).stdout)),
  );
  expect(after).toHaveLength(32);
  const cosine = (before as number[]).reduce((sum, x, i) => sum + x * (after as number[])[i]!, 0);
  expect(cosine).toBeGreaterThan(0.999);
});

test("a model with blocks, and its own folder, are refused", async () => {
  const blocks = join(folder, "blocks");
  await writeModel(blocks);
  expectComplaint(
    await lodestone(["export", "--model", blocks, "--out", join(folder, "no")]),
    /expected a static bag, got a model with blocks/,
  );
  expectComplaint(await lodestone(["export", "--model", bag, "--out", bag]), /expected --out to be another folder/);
});

test("in half precision a model with blocks embeds nearly as it did", async () => {
  const [blocks, half] = [join(folder, "blocks-2"), join(folder, "half")];
  await writeModel(blocks);
  const { code, stderr } = await lodestone(["export", "--model", blocks, "--out", half, "--form", "half"]);
  expect(code, stderr).toBe(0);
  const input = "def add(a, b): return a + b";
  const [before, after] = await Promise.all(
    [blocks, half].map(async (model) => JSON.parse((await lodestone(["embed", "--model", model], { input })).stdout)),
  );
  expect((before as number[]).reduce((sum, x, i) => sum + x * (after as number[])[i]!, 0)).toBeGreaterThan(0.9999);
});

test("a run needs its tokenizer, and one of model and run is wanted", async () => {
  const out = join(folder, "nothing");
  expectComplaint(await lodestone(["export", "--out", out]), /expected --model or --run, got neither/);
  expectComplaint(await lodestone(["export", "--run", folder, "--out", out]), /expected --tokenizer with --run/);
});
