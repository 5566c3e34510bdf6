import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadEncoder } from "../../encoder/index.js";
import { PACKAGES, RECIPE, type Recipe } from "./recipe.js";
import type { QuickstartReport } from "./report.js";
import { runQuickstart } from "./run.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-quickstart-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The real job on two of the real packages, with the real recipe cut short. */
const packages = PACKAGES.filter(({ name }) => ["google-closure-library", "mongodb"].includes(name));
const recipe: Recipe = {
  ...RECIPE,
  tokenizer: { ...RECIPE.tokenizer, vocabSize: 3000 },
  stage1: { ...RECIPE.stage1, steps: 12, optimizer: { ...RECIPE.stage1.optimizer, warmup: 2 } },
  stage2: { ...RECIPE.stage2, steps: 40, batch: 128, optimizer: { ...RECIPE.stage2.optimizer, warmup: 2 } },
};

test("stopped in the middle and started again, it learns and leaves report and model", async () => {
  const said: string[] = [];
  const options = { out: folder, threads: 2, recipe, packages };
  const controller = new AbortController();
  const stopped = await runQuickstart(options, {
    signal: controller.signal,
    progress: ({ stage, done }) => {
      if (stage === "stage2" && done >= 5) controller.abort();
    },
    say: (line) => said.push(line),
  });
  expect(stopped).toBeUndefined();

  const quiet = { signal: new AbortController().signal, progress: () => undefined };
  const report = (await runQuickstart(options, { ...quiet, say: (line) => said.push(line) }))!;
  expect(said.join("\n")).toMatch(/going on from step \d+ of 40/);
  expect(report.mrr.stage2).toBeGreaterThan(1.3 * report.mrr.untrained);
  expect(report.mrr.stage2).toBeGreaterThan(report.mrr.stage1);
  expect(report.pairs).toBeGreaterThan(200);
  expect(report.corpus.heldOutPackages).toEqual(["mongodb"]);
  expect(report.examples.length).toBeGreaterThan(4);
  expect(JSON.parse(await readFile(join(folder, "report.json"), "utf8")) as QuickstartReport).toEqual(report);
  expect((await stat(join(folder, "report.html"))).size).toBeGreaterThan(10_000);

  const encoder = await loadEncoder(join(folder, "model"), { threads: 2 });
  try {
    expect((await encoder.embedAll(["open a socket"])).length).toBe(RECIPE.model.width);
  } finally {
    await encoder.close();
  }
});
