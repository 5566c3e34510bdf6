import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Journal } from "./journal.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-journal-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const OPTIONS = { owned: ["stage1"], fresh: false };

test("times add up over interrupted runs, also of a phase that failed", async () => {
  const first = await Journal.open(folder, "a", OPTIONS);
  expect(first.state).toBe("new");
  await expect(first.journal.timed("stage 1", () => Promise.reject(new Error("stopped")))).rejects.toThrow("stopped");
  const second = await Journal.open(folder, "a", OPTIONS);
  expect(second.state).toBe("resumed");
  expect(Object.keys(second.journal.phases)).toEqual(["stage 1"]);
  const before = second.journal.phases["stage 1"]!;
  await second.journal.timed("stage 1", () => new Promise((resolve) => setTimeout(resolve, 600)));
  expect((await Journal.open(folder, "a", OPTIONS)).journal.phases["stage 1"]).toBeGreaterThan(before + 0.5);
});

test("another recipe's results are removed, and nothing else", async () => {
  await Journal.open(folder, "a", OPTIONS);
  await writeFile(join(folder, "stage1"), "");
  await writeFile(join(folder, "notes.txt"), "");
  expect((await Journal.open(folder, "b", OPTIONS)).state).toBe("replaced");
  expect((await readdir(folder)).sort()).toEqual(["journal.json", "notes.txt"]);
});

test("fresh begins again with the same recipe; a damaged journal counts as another recipe's", async () => {
  await Journal.open(folder, "a", OPTIONS);
  await writeFile(join(folder, "stage1"), "");
  expect((await Journal.open(folder, "a", { ...OPTIONS, fresh: true })).state).toBe("new");
  expect(await readdir(folder)).toEqual(["journal.json"]);
  await writeFile(join(folder, "journal.json"), "{");
  expect((await Journal.open(folder, "a", OPTIONS)).state).toBe("replaced");
});
