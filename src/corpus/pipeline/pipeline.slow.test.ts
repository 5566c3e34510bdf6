import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runChild } from "../../../test/helpers/child.js";
import { contentsOf, documented, putFile, putPackages } from "../../../test/helpers/corpus.js";
import { Rng, writeFileAtomic } from "../../base/index.js";
import { buildCorpus, type BuildOptions, type CorpusInput } from "../index.js";
import type { SourceItem } from "../sources/types.js";
import { NO_EXCLUSION } from "./_exclusion.js";
import { PartFile } from "./_part.js";
import { Pool } from "./_pool.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-pipeline-slow-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function build(input: CorpusInput, out: string, options: BuildOptions): Promise<void> {
  for await (const event of buildCorpus(input, join(folder, out), { batchBytes: 3_000, ...options })) void event;
}

test("any number of threads gives the same bytes", async () => {
  const input = await putPackages(folder);
  await build(input, "none", { workers: 0 });
  const expected = await contentsOf(join(folder, "none"));
  for (const workers of [1, 3]) {
    await build(input, `w${workers}`, { workers });
    expect(await contentsOf(join(folder, `w${workers}`))).toEqual(expected);
  }
});

test("kill -9 at any write, then the same command: the same bytes, and whole parts are not made again", async () => {
  const input = await putPackages(folder);
  await build(input, "whole", { workers: 0 });
  const expected = await contentsOf(join(folder, "whole"));
  const log = join(folder, "writes");
  const run = async (out: string, killAt: number): Promise<{ killed: boolean; writes: string[] }> => {
    await rm(log, { force: true });
    const env = { LODESTONE_WRITE_LOG: log, LODESTONE_TEST_KILL_AT: String(killAt) };
    const preload = ["kill-at-write.mjs"];
    const ended = await runChild("corpus-child.ts", [JSON.stringify(input), join(folder, out), "1"], { env, preload });
    if (ended.signal === null && ended.code !== 0) throw new Error(ended.errors);
    return { killed: ended.signal === "SIGKILL", writes: (await readFile(log, "utf8")).trimEnd().split("\n") };
  };
  const { writes, killed } = await run("counted", 0);
  expect(killed).toBe(false);
  expect(await contentsOf(join(folder, "counted"))).toEqual(expected);
  const rng = Rng.fromSeed(11);
  for (let round = 0; round < 5; round++) {
    const out = `killed${round}`;
    const killAt = 1 + rng.int(writes.length);
    expect((await run(out, killAt)).killed).toBe(true);
    expect(await readdir(join(folder, out))).not.toContain("manifest.json");
    const parts = (await readdir(join(folder, out), { recursive: true })).filter((name) => name.endsWith(".part"));
    const again = await run(out, 0);
    const remade = again.writes.filter(
      (line) => line.startsWith("rename") && parts.some((part) => line.endsWith(part)),
    );
    expect(remade).toEqual([]);
    expect(await contentsOf(join(folder, out))).toEqual(expected);
  }
});

test("a thread that ends, hangs or runs out of memory costs one file each", async () => {
  const names = ["a.js", "crash.js", "b.js", "hang.js", "memory.js", "c.js"];
  const items = names.map((path, i): SourceItem => {
    const text = documented(`f${i}`, `Does the thing number ${i}.`, Rng.fromSeed(i));
    return { kind: "file", origin: "x", version: "", path, licence: "MIT", lang: undefined, bytes: Buffer.from(text) };
  });
  const said: string[] = [];
  const pool = new Pool({
    workers: 1,
    itemSeconds: 3,
    recycleBytes: 1e9,
    examine: { minTokens: 3, maxTokens: 256, keepDocstring: 0, seed: 0 },
    exclusion: NO_EXCLUSION,
    worker: new URL("../../../test/helpers/faulty-corpus-worker.js", import.meta.url),
    onTrouble: (message) => said.push(message),
  });
  try {
    const batch = { source: 0, number: 0, items, refused: {}, skipped: [], failures: 0 };
    const { bytes } = await pool.run(batch);
    await writeFileAtomic(join(folder, "one.part"), bytes);
    const part = PartFile.open(join(folder, "one.part"));
    expect(part.documents().map(({ path }) => path)).toEqual(["a.js", "b.js", "c.js"]);
    // On a busy machine it takes longer to use up the memory than the item may take.
    expect([
      { crash: 2, timeout: 1 },
      { crash: 1, timeout: 2 },
    ]).toContainEqual(part.header.skippedFiles);
    expect(said).toHaveLength(3);
    expect(said[1]).toBe("x/hang.js: a worker thread did not come back from it in time; the file is passed over");
  } finally {
    await pool.close();
  }
});

test("100,000 nested brackets and a line of 10 MB are no obstacle", async () => {
  await putFile(join(folder, "a/good.js"), documented("good", "Does the one good thing.", Rng.fromSeed(1)));
  await putFile(join(folder, "a/nested.js"), `let a = ${"[\n".repeat(100_000)}${"]\n".repeat(100_000)};\n`);
  await putFile(join(folder, "a/nested.py"), `a = ${"(\n".repeat(100_000)}`);
  await putFile(join(folder, "a/line.c"), `int a[] = {${"1,".repeat(5_000_000)}};\n`);
  const input: CorpusInput = { sources: [{ path: join(folder, "a") }], maxFileBytes: 20_000_000 };
  await build(input, "out", { workers: 1 });
  const manifest = JSON.parse(await readFile(join(folder, "out", "manifest.json"), "utf8")) as { pairs: number };
  expect(manifest.pairs).toBe(1);
});

test("duplicates among 200,000 records are all found, in little memory", async () => {
  interface Result {
    readonly pairs: number;
    readonly dropped: Record<string, number>;
    readonly megabytes: number;
  }
  const args = [join(folder, "parts"), "200000"];
  const { lines, errors } = await runChild<Result>("corpus-reduce-child.ts", args);
  expect(errors).toBe("");
  const { pairs, dropped, megabytes } = lines[0]!;
  // Of every ten records one equals another, and one nearly does.
  expect(pairs).toBe(160_000);
  expect(dropped["duplicate-code"]! + dropped["near-duplicate"]!).toBe(40_000);
  expect(megabytes).toBeLessThan(1000);
});
