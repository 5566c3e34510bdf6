import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
let folder = "";
afterEach(() => rm(folder, { recursive: true, force: true }));

test("curves: means of so many updates, tokens added up, the newest evaluation of each, and a page that draws them", async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-curves-"));
  await mkdir(join(folder, "run"));
  const lines = Array.from({ length: 5 }, (_, i) => ({
    ...{ step: i + 1, loss: i, loss_r: 2 * i, tokens: 10 },
    ...(i % 2 === 0 ? { loss_d: 1 } : {}),
    ...(i === 1 || i === 3 ? { validation_mrr: i / 10 } : {}),
  }));
  await writeFile(join(folder, "run", "metrics.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const out = join(folder, "curves");
  const args = ["--import", "tsx", "scripts/curves.ts", join(folder, "run"), "--out", out, "--every", "2"];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  const text = await readFile(`${out}.jsonl`, "utf8");
  expect(
    text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object),
  ).toEqual([
    { step: 2, loss: 0.5, loss_r: 1, loss_d: 1, tokens: 10, validation_mrr: 0.1, tokens_so_far: 20 },
    { step: 4, loss: 2.5, loss_r: 5, loss_d: 1, tokens: 10, validation_mrr: 0.3, tokens_so_far: 40 },
    { step: 5, loss: 4, loss_r: 8, loss_d: 1, tokens: 10, tokens_so_far: 50 },
  ]);
  const page = await readFile(`${out}.html`, "utf8");
  expect(page).toContain("Held out: retrieval MRR");
  expect(page).not.toContain("Contrastive loss");
});
