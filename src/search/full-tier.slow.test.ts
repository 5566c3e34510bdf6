import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newModel } from "../../test/helpers/serving.js";
import { loadEncoder } from "../encoder/index.js";
import { openIndex } from "./index.js";

/** A Transformer with an ONNX file, and a bag, both untrained. */
let folder: string;
let models: { static: string; full: string };
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-full-tier-"));
  models = { static: await newModel(folder, "static"), full: await newModel(folder, "full") };
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const FILES = 30;
const PER_FILE = 10;
const ALL = FILES * PER_FILE;
function makeRepo(): string {
  const repo = join(folder, `repo-${count++}`);
  mkdirSync(repo);
  for (let file = 0; file < FILES; file++) writeFileSync(join(repo, `f${file}.py`), fileText(file, "first"));
  return repo;
}
const fileText = (file: number, word: string): string =>
  Array.from(
    { length: PER_FILE },
    (_, i) => `def place${file}_${i}(x):\n    """The ${word} of number${file * PER_FILE + i}."""\n    return x\n`,
  ).join("\n\n");

const kill = new URL("../../test/helpers/kill-at-write.mjs", import.meta.url).href;
const env = { ...process.env, TSX_DISABLE_CACHE: "1" };

/** A process that refines; it says `began` after its first batch. */
function script(repo: string): string {
  const path = join(folder, `run-${count++}.mts`);
  const here = JSON.stringify(new URL("./index.ts", import.meta.url).href);
  writeFileSync(
    path,
    `const { openIndex } = await import(${here});
    const index = await openIndex(${JSON.stringify(repo)}, { encoder: ${JSON.stringify(models)}, threads: 1 });
    for await (const { done, total } of index.refine()) process.stdout.write("began " + done + " of " + total + "\\n");
    await index.close();
    process.exit(0);`,
  );
  return path;
}

const open = (repo: string) => openIndex(repo, { encoder: models, threads: 1 });

async function tiers(repo: string) {
  const index = await open(repo);
  const { tiers: held, chunks, notes, answersFrom } = await index.status();
  const { tier, hits } = await index.search("first of number73");
  await index.close();
  expect({ chunks, notes, name: hits[0]?.name }).toEqual({ chunks: ALL, notes: [], name: "place7_3" });
  expect(held.static.chunks).toBe(ALL);
  expect(tier).toBe(answersFrom);
  return { full: held.full.chunks, tier };
}

test("interrupted and taken up again: only what is missing is computed, then the full tier answers", async () => {
  const repo = makeRepo();
  const first = await open(repo);
  expect((await first.search("first of number3")).tier).toBe("static");
  let done = 0;
  for await (const step of first.refine()) {
    expect(step.total).toBe(ALL);
    done = step.done;
    break;
  }
  await first.close();
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(ALL);
  expect(await tiers(repo)).toEqual({ full: done, tier: "static" });

  const second = await open(repo);
  const stop = new AbortController();
  const aborted = async (): Promise<void> => {
    for await (const step of second.refine({ signal: stop.signal })) {
      expect(step.total).toBe(ALL - done);
      stop.abort(new Error("enough"));
    }
  };
  await expect(aborted()).rejects.toThrow("enough");
  const kept = (await second.status()).tiers.full.chunks;
  expect(kept).toBeGreaterThan(done);
  expect(kept).toBeLessThan(ALL);
  for await (const step of second.refine()) expect(step.total).toBe(ALL - kept);
  await second.close();
  expect(await tiers(repo)).toEqual({ full: ALL, tier: "full" });

  // One file's change: its chunks are missing, so that the static tier answers until they are read.
  writeFileSync(join(repo, "f7.py"), fileText(7, "second"));
  const changed = await open(repo);
  expect((await changed.search("second of number73")).tier).toBe("static");
  const totals = new Set<number>();
  for await (const step of changed.refine()) totals.add(step.total);
  expect([...totals]).toEqual([PER_FILE]);
  expect((await changed.search("second of number73")).tier).toBe("full");
  await changed.close();
}, 120_000);

test("cosines of the full tier are those of the encoder's own vectors, rounded to int8", async () => {
  const repo = makeRepo();
  const index = await open(repo);
  for await (const step of index.refine()) void step;
  const query = "the first of number4";
  const { hits, tier } = await index.search(query, { explain: true, text: true, limit: 8 });
  expect({ tier, hits: hits.length }).toEqual({ tier: "full", hits: 8 });
  const encoder = await loadEncoder(models.full, { threads: 1 });
  for (const { path, name, text, explanation } of hits) {
    // Where it is, its scope (none), its name (in the text already), and the text: what docs/search.md says is embedded.
    const [a, b] = await Promise.all([
      encoder.embedAll([query]),
      encoder.embedAll([`${path.replace(".py", "")}  \n${text}`]),
    ]);
    const cosine = a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    expect(Math.abs(explanation!.cosines.full! - cosine), name).toBeLessThan(0.01);
  }
  expect(new Set(hits.map(({ explanation }) => explanation!.cosines.full)).size).toBeGreaterThan(1);
  await encoder.close();
  await index.close();
}, 120_000);

test("killed while it computes: the static tier answers, and the next run starts where the last save was", async () => {
  const repo = makeRepo();
  const held = await open(repo);
  let saved = 0;
  for await (const { done } of held.refine()) {
    saved = done;
    break;
  }
  await held.close();
  const child = spawn(process.execPath, ["--import", "tsx", script(repo)], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.on("close", (_, signal) => resolve(signal)));
  child.stdout.once("data", () => child.kill("SIGKILL"));
  expect(await ended).toBe("SIGKILL");
  const after = await tiers(repo);
  expect([saved, ALL]).toContain(after.full); // All, where it was faster than the signal.
  expect(after.tier).toBe(after.full === ALL ? "full" : "static");
  expect(spawnSync(process.execPath, ["--import", "tsx", script(repo)], { env }).status).toBe(0);
  expect(await tiers(repo)).toEqual({ full: ALL, tier: "full" });
}, 120_000);

test("killed at each write of the save: all of the full tier or none of it", async () => {
  const repo = makeRepo();
  await (await open(repo)).close();
  const [run, log] = [script(repo), join(folder, "writes.log")];
  const refineKilledAt = async (at: number) => {
    await rm(log, { force: true });
    return spawnSync(process.execPath, ["--import", "tsx", "--import", kill, run], {
      env: { ...env, LODESTONE_WRITE_LOG: log, LODESTONE_TEST_KILL_AT: String(at) },
    });
  };
  const seen = new Set<string>();
  for (let at = 1; ; at++) {
    const { signal, status } = await refineKilledAt(at);
    const { full, tier } = await tiers(repo);
    expect([0, ALL], `write ${at}`).toContain(full);
    expect(tier).toBe(full === ALL ? "full" : "static");
    seen.add(tier);
    if (full === ALL) break;
    expect(signal, `write ${at}: ${status}`).toBe("SIGKILL");
    expect(at).toBeLessThan(30);
  }
  expect([...seen]).toEqual(["static", "full"]);
  const pointer = JSON.parse(await readFile(join(repo, ".lodestone/current.json"), "utf8")) as { file: string };
  expect(readFileSync(join(repo, ".lodestone", pointer.file)).length).toBeGreaterThan(ALL * 32);
}, 300_000);
