import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noisyWeights, tinyConfig } from "../../test/helpers/encoders.js";
import { TEXTS } from "../../test/helpers/texts.js";
import { Rng } from "../base/index.js";
import { trainTokenizer } from "../tokenizer/index.js";
import { readEncoder, saveEncoder } from "./index.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-encoder-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("without room for the files, the old model stays whole and nothing is left behind", async () => {
  const model = join(folder, "model");
  const config = tinyConfig();
  const tokenizer = await trainTokenizer(TEXTS, { vocabSize: 400 });
  await saveEncoder(model, { config, weights: noisyWeights(config), tokenizer });
  const before = await readEncoder(model);
  const script = join(folder, "save.mjs");
  const here = JSON.stringify(new URL("../../dist/encoder/index.js", import.meta.url).href);
  await writeFile(
    script,
    `const { readEncoder, saveEncoder } = await import(${here});
    const parts = await readEncoder(${JSON.stringify(model)});
    parts.weights["ln_f.bias"].data[0] = 7;
    await saveEncoder(${JSON.stringify(model)}, parts).catch((error) => {
      process.stdout.write(error.code + " " + error.message);
      process.exitCode = 2;
    });`,
  );
  // The largest files are some 120 KB each, so every limit below meets one of them half-written.
  const rng = Rng.fromSeed(Date.now());
  for (const kilobytes of [0, 1 + rng.int(60), 60 + rng.int(40)]) {
    const command = `ulimit -f ${kilobytes}; exec ${process.execPath} ${script}`;
    const { stdout, stderr, status } = spawnSync("bash", ["-c", command], { encoding: "utf8" });
    expect({ status, stdout, stderr }, `limit of ${kilobytes} KB`).toMatchObject({ status: 2 });
    expect(stdout).toMatch(/^output\.full .*model.*EFBIG/);
    expect(await readEncoder(model)).toMatchObject({ config: before.config, weights: before.weights });
    expect((await readdir(folder)).sort()).toEqual(["model", "save.mjs"]);
  }
});
