import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noisyWeights, tinyConfig } from "../../test/helpers/encoders.js";
import { TEXTS } from "../../test/helpers/texts.js";
import { openEncoder, saveEncoder, StaticEncoder } from "../encoder/index.js";
import { trainTokenizer } from "../tokenizer/index.js";
import { fileTypeOf, openIndex } from "./index.js";
import { tierModel } from "./_models.js";
import { packChunks, unpackChunks } from "./_packed-chunks.js";
import { breaths, prepareFiles, type CutFile } from "./_prepare.js";
import { Preparer } from "./_preparer.js";
import type { NewChunk } from "./store/store.js";
import { WordScanner } from "./text/words.js";

let folder: string;
let repo: string;
let model: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-preparer-"));
  [repo, model] = [join(folder, "repo"), join(folder, "model")];
  await mkdir(repo);
  const tokenizer = await trainTokenizer(TEXTS, { vocabSize: 400 });
  const config = tinyConfig({ layers: 0, positions: false, heads: 1, width: 32, maxLength: 128, pooling: "weighted" });
  await saveEncoder(model, { config, weights: noisyWeights(config), tokenizer });
  const before = new Date(Date.now() - 60_000);
  for (let i = 0; i < 120; i++) {
    const path = join(repo, `file${i}.${["js", "py", "md", "swift"][i % 4]!}`);
    await writeFile(path, sourceOf(i));
    await utimes(path, before, before);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Some 10 kB, so that threads get more than one batch each. */
function sourceOf(i: number): string {
  const comment = (text: string): string => (i % 4 === 1 ? `# ${text}` : i % 4 === 2 ? `## ${text}` : `// ${text}`);
  return Array.from({ length: 60 }, (_, f) => {
    const body = `  return Größe_x${f} + parseHTTP${i * f}(a, "${"word ".repeat(f % 20)}\u{1F600}");`;
    const head =
      i % 4 === 1 ? `def place${f}_${i}(a):` : i % 4 === 3 ? `func place${f}(a) {` : `function place${f}(a) {`;
    return `${comment(`Number ${f} of file ${i}`)}\n${head}\n${body}\n${i % 4 === 1 ? "" : "}"}\n`;
  }).join("\n");
}

/** Digest of every file of an index folder but the lock's. */
async function digest(indexFolder: string): Promise<Record<string, string>> {
  const names = (await readdir(indexFolder)).filter((name) => /^(?:generation|current)/.test(name)).sort();
  const sums = names.map(async (name) => {
    const bytes = await readFile(join(indexFolder, name));
    return [name, createHash("sha256").update(bytes).digest("hex")] as const;
  });
  return Object.fromEntries(await Promise.all(sums));
}

test("however many threads: the same index, byte for byte", async () => {
  const digests: Record<string, string>[] = [];
  for (const [at, indexThreads] of [1, 2, 3].entries()) {
    const indexFolder = join(folder, `index-${at}`);
    const index = await openIndex(repo, { encoder: { static: model }, indexFolder, indexThreads });
    expect(index.lastUpdate).toMatchObject({ threads: indexThreads, changed: 120 });
    expect((await index.status()).tiers.static.chunks).toBe(index.lastUpdate!.newChunks);
    await index.close();
    digests.push(await digest(indexFolder));
  }
  expect(Object.keys(digests[0]!)).toEqual(["current.json", "generation-1.bin"]);
  expect(digests[1]).toEqual(digests[0]);
  expect(digests[2]).toEqual(digests[0]);
}, 60_000);

test("threads do a share of the work, and give what one gives: chunks, words, counts, vectors", async () => {
  const { hash } = (await tierModel(model)).info;
  const encoder = (await openEncoder(model)) as StaticEncoder;
  const types = [fileTypeOf("a.js"), fileTypeOf("a.py"), fileTypeOf("a.md"), fileTypeOf("a.swift")];
  const files = Array.from({ length: 80 }, (_, i) => ({ path: `f${i}`, text: sourceOf(i), type: types[i % 4]! }));
  const expected = (await prepareFiles(files, { scanner: new WordScanner(), encoder })).chunks;
  expect(expected[0]![0]!.vectors.static).toHaveLength(32);
  const scanner = new WordScanner();
  const preparer = new Preparer({ scanner, threads: 3, model: { folder: model, hash }, between: breaths(undefined) });
  preparer.use(encoder);
  try {
    await preparer.started();
    const found: NewChunk[][] = [];
    for (const [i, file] of files.entries()) await preparer.add(file, (chunks) => (found[i] = chunks));
    await preparer.end();
    expect(found).toEqual(expected);
    expect(preparer.elsewhere).toBeGreaterThan(10);
  } finally {
    await preparer.close();
  }
}, 60_000);

test("an encoder that a program opened stays in this thread; without one, threads are used", async () => {
  const tokenizer = await trainTokenizer(TEXTS, { vocabSize: 400 });
  const config = tinyConfig({ layers: 0, positions: false, heads: 1, width: 16, maxLength: 64, pooling: "mean" });
  const opened = new StaticEncoder({ config, weights: noisyWeights(config), tokenizer });
  const own = join(folder, "own");
  const index = await openIndex(repo, { encoder: { static: opened }, indexFolder: own, indexThreads: 2 });
  expect(index.lastUpdate).toMatchObject({ threads: 1, changed: 120 });
  await index.close();
  const words = await openIndex(repo, { indexFolder: join(folder, "words"), indexThreads: 2 });
  expect(words.lastUpdate).toMatchObject({ threads: 2, changed: 120 });
  await words.close();
}, 60_000);

test("chunks survive being packed", async () => {
  const files: CutFile[] = [
    { path: "a/b.js", text: sourceOf(0), type: { language: "javascript", kind: "code" } },
    { path: "empty.txt", text: "", type: { language: "text", kind: "doc" } },
    { path: "c.md", text: "# Lone \ud800 half\n\ntext\n", type: { language: "markdown", kind: "doc" } },
  ];
  const { chunks } = await prepareFiles(files, { scanner: new WordScanner(), encoder: undefined });
  expect(chunks.map(({ length }) => length)).toEqual([expect.any(Number), 0, 1]);
  expect(unpackChunks(packChunks(chunks))).toEqual(chunks);
  const vectors = { static: Float32Array.of(0.5, -1.5) };
  const withVectors = chunks.map((list) => list.map((chunk) => ({ ...chunk, vectors })));
  expect(unpackChunks(packChunks(withVectors))).toEqual(withVectors);
});

/** A thread's module that says it is ready, and then does `body` with its first batch. */
async function threadThat(body: string): Promise<URL> {
  const path = join(folder, `thread-${body.length}.mjs`);
  await writeFile(
    path,
    `import { parentPort } from "node:worker_threads";\nparentPort.on("message", ({ id }) => { ${body} });\n` +
      `parentPort.postMessage({ ready: true });\n`,
  );
  return pathToFileURL(path);
}

test.each([
  ["dies", "process.exit(3);"],
  ["throws", 'throw new Error("out of luck");'],
  ["fails at its batch", 'parentPort.postMessage({ id, failed: true, why: "no reason" });'],
])("a thread that %s: this one does its work again", async (_, body) => {
  const scanner = new WordScanner();
  const files = Array.from({ length: 40 }, (_, i) => ({
    path: `f${i}.md`,
    text: sourceOf(4 * i + 2),
    type: { language: "markdown", kind: "doc" as const },
  }));
  const expected = (await prepareFiles(files, { scanner, encoder: undefined })).chunks;
  const worker = await threadThat(body);
  const preparer = new Preparer({ scanner, threads: 2, model: undefined, between: breaths(undefined), worker });
  try {
    await preparer.started(); // So that it gets batches.
    const found: NewChunk[][] = [];
    for (const [i, file] of files.entries()) await preparer.add(file, (chunks) => (found[i] = chunks));
    await preparer.end();
    expect(found).toEqual(expected);
    expect(preparer.elsewhere).toBe(0);
  } finally {
    await preparer.close();
  }
});

test("the signal ends it while a thread is silent; a grammar that is none is refused as by one thread", async () => {
  const stop = new AbortController();
  const worker = await threadThat("void id;");
  const scanner = new WordScanner();
  const options = { scanner, threads: 2, model: undefined, between: breaths(stop.signal), signal: stop.signal, worker };
  const preparer = new Preparer(options);
  await preparer.started();
  const type = { language: "markdown", kind: "doc" as const };
  await preparer.add({ path: "a.md", text: "x ".repeat(40_000), type }, () => undefined);
  setTimeout(() => stop.abort(new Error("enough")), 50);
  await expect(preparer.end()).rejects.toThrow("enough");
  await preparer.close();

  const wasm = join(folder, "none.wasm");
  await writeFile(wasm, "not a grammar");
  const indexFolder = join(folder, "refused");
  const grammars = { ".js": wasm };
  for (const indexThreads of [1, 2]) {
    const opening = openIndex(repo, { indexFolder, grammars, indexThreads });
    await expect(opening).rejects.toMatchObject({ code: "search.grammar" });
  }
  expect((await readdir(indexFolder)).filter((name) => name.startsWith("generation"))).toEqual([]);
}, 60_000);
