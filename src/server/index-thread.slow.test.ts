import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ProgressEvent } from "../base/index.js";
import { IndexThread } from "./_index-thread.js";

let folder: string;
let count = 0;
const threads: IndexThread[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-thread-"));
});
afterAll(async () => {
  for (const thread of threads) await thread.close();
  await rm(folder, { recursive: true, force: true });
});

function newThread(): IndexThread {
  const thread = new IndexThread();
  threads.push(thread);
  return thread;
}
function makeRepo(files: number, functions = 1): string {
  const repo = join(folder, `repo${count++}`);
  mkdirSync(repo);
  for (let i = 0; i < files; i++) {
    const body = Array.from({ length: functions }, (_, f) => `def place${i}_${f}(x):\n    return x + ${f}\n`);
    writeFileSync(join(repo, `f${i}.py`), body.join("\n"));
  }
  return repo;
}
const ignore = (): void => undefined;

test("two threads: one writes, the other answers from what was written; this thread does neither", async () => {
  const repo = makeRepo(150, 20);
  const events: ProgressEvent[] = [];
  const writer = await newThread().open(repo, { refresh: "none" }, (event) => events.push(event));
  const reader = await newThread().open(repo, { refresh: "none" }, ignore);
  expect((await reader.search("place77_3", {})).hits).toEqual([]);
  const before = performance.eventLoopUtilization();
  expect(await writer.refresh()).toMatchObject({ files: 150, chunks: 3000, store: "embedded" });
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
  expect(events.at(-1)).toMatchObject({ done: 150, total: 150 });
  expect((await reader.search("place77_3", { text: true })).hits[0]).toMatchObject({
    name: "place77_3",
    path: "f77.py",
  });
  expect((await reader.related("f7.py", 1, { limit: 1 })).hits).toHaveLength(1);
  await reader.close();
  await writer.close();
});

test("errors keep their code and what to do; who leaves is let go at once", async () => {
  const thread = newThread();
  await expect(thread.open(join(folder, "nowhere"), {}, ignore)).rejects.toMatchObject({
    code: "search.folder",
    fix: "Correct the path",
  });
  const index = await thread.open(makeRepo(2), {}, ignore);
  await expect(index.related("f0.py", 99, {})).rejects.toMatchObject({ code: "search.no-such-place" });
  const leaving = new AbortController();
  const asked = index.search("place", { signal: leaving.signal });
  leaving.abort(new Error("gone"));
  await expect(asked).rejects.toThrow("gone");
  await expect(index.search("place", { signal: AbortSignal.abort(new Error("late")) })).rejects.toThrow("late");
  expect((await index.search("place1_0", {})).hits[0]).toMatchObject({ name: "place1_0" });
});

test("a thread that dies fails what it was asked, and comes back with its indexes", async () => {
  const thread = newThread();
  const index = await thread.open(makeRepo(2), {}, ignore);
  expect((await index.search("place1_0", {})).hits).not.toEqual([]);
  const { worker } = thread as unknown as { worker: Worker };
  void worker.terminate(); // From here on it answers nothing, but is not gone yet.
  await expect(index.search("place1_0", {})).rejects.toThrow(/thread of the indexes ended/);
  expect((await index.search("place1_0", {})).hits[0]).toMatchObject({ name: "place1_0" });
});
