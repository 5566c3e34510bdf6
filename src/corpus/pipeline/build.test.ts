import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../../base/index.js";
import type { DirectoryConfig } from "../sources/schema.js";
import {
  buildCorpus,
  readDocuments,
  readManifest,
  readPairs,
  type BuildOptions,
  type CorpusEvent,
  type CorpusInput,
  type CorpusManifest,
  type SourceInput,
} from "../index.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-corpus-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(path: string, text: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

/** A documented JavaScript function of two lines. */
const documented = (name: string, summary: string, line = `total += ${name.length};`): string =>
  `/**\n * ${summary}\n * @param {number} x It.\n */\nfunction ${name}(x) {\n  let total = x;\n  ${line}\n  return total;\n}\n`;

async function build(
  input: CorpusInput,
  options: BuildOptions = {},
): Promise<{ events: CorpusEvent[]; manifest: CorpusManifest }> {
  const events: CorpusEvent[] = [];
  for await (const event of buildCorpus(input, join(folder, "out"), { workers: 0, ...options })) events.push(event);
  const last = events.at(-1)!;
  if (last.kind !== "done") throw new Error("no end");
  return { events, manifest: last.manifest };
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

type Extra = Partial<Omit<DirectoryConfig, "kind" | "path">>;
const source = (name: string, extra: Extra = {}): SourceInput => ({ path: join(folder, name), ...extra });

/** Names and contents of all files of a folder. */
async function contents(root: string): Promise<string[]> {
  const names = (await readdir(root, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
  const paths = names.map((one) => join(one.parentPath, one.name)).sort();
  return Promise.all(paths.map(async (path) => `${path.slice(root.length)} ${await readFile(path, "latin1")}`));
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "none",
    (error: unknown) => (error instanceof UserError ? error.code : String(error)),
  );
}

test("files become documents and pairs with their places", async () => {
  await put(
    "a/lib/add.js",
    `// Copyright 2024 Someone.\n\n${documented("add", "Adds to the total. Always.")}const x = () => 1;\n`,
  );
  await put(
    "a/tool.py",
    'def run(a):\n    """Run the tool on a file."""\n    b = open(a)\n    c = b.read()\n    return c\n',
  );
  const { manifest } = await build({ sources: [source("a", { name: "pkg" })] });
  const pairs = await all(readPairs(join(folder, "out")));
  expect(new Set(pairs.map(({ id }) => id)).size).toBe(2);
  expect(pairs.map((pair) => ({ ...pair, id: "" }))).toEqual([
    {
      id: "",
      lang: "javascript",
      summary: "Adds to the total.",
      docstring: "Adds to the total. Always.\n@param {number} x It.",
      signature: "function add(x)",
      kind: "function",
      version: "",
      licence: "NOASSERTION",
      code: "function add(x) {\n  let total = x;\n  total += 3;\n  return total;\n}",
      body: "let total = x;\ntotal += 3;",
      name: "add",
      path: "lib/add.js",
      origin: "directory:pkg",
      startLine: 7,
      endLine: 11,
      split: "train",
    },
    {
      id: "",
      lang: "python",
      summary: "Run the tool on a file.",
      docstring: "Run the tool on a file.",
      signature: "def run(a):",
      kind: "function",
      version: "",
      licence: "NOASSERTION",
      code: "def run(a):\n    b = open(a)\n    c = b.read()\n    return c",
      body: "b = open(a)\nc = b.read()",
      name: "run",
      path: "tool.py",
      origin: "directory:pkg",
      startLine: 1,
      endLine: 5,
      split: "train",
    },
  ]);
  const documents = await all(readDocuments(join(folder, "out")));
  expect(documents.map(({ path }) => path)).toEqual(["lib/add.js", "tool.py"]);
  expect(documents[0]!.text).not.toContain("Copyright");
  expect(documents[0]!.text).toContain("Adds to the total. Always.");
  expect(manifest.languages.javascript).toMatchObject({
    files: 1,
    functions: 2,
    withDocstring: 1,
    withSummary: 1,
    bodyIsReturn: 0,
    pairs: 1,
  });
  expect(manifest.languages.javascript!.dropped).toEqual({ "no-docstring": 1 });
});

test("the same input gives the same bytes; a complete corpus is kept, or refused, or replaced when told", async () => {
  for (let i = 0; i < 30; i++)
    await put(`a/f${i}.js`, documented(`f${i}`, `Computes the value number ${i} of all.`, `call(${i}, "x");`));
  const input: CorpusInput = {
    sources: [source("a")],
    shardRecords: 7,
    split: { by: "file", validation: 0.2, test: 0.2 },
  };
  await build(input);
  const read = (): Promise<string[]> => contents(join(folder, "out"));
  const first = await read();
  expect(first.length).toBeGreaterThanOrEqual(3 + 5 + 5); // manifest, card, samples; 30 documents and 30 pairs by sevens
  const again = await build(input);
  expect(again.events).toMatchObject([{ kind: "done", reused: true }]);
  await put("a/f30.js", documented("f30", "Computes something else entirely."));
  expect(await codeOf(build(input))).toBe("corpus.exists");
  expect(await read()).toEqual(first);
  await rm(join(folder, "a/f30.js"));
  await build({ ...input, maxRepeats: 3 }, { overwrite: true });
  await build(input, { overwrite: true });
  expect(await read()).toEqual(first);
  const counts = (await readManifest(join(folder, "out"))).splits;
  expect(counts.train.pairs + counts.validation.pairs + counts.test.pairs).toBe(30);
  expect(counts.test.pairs).toBeGreaterThan(0);
  for (const split of ["train", "validation", "test"] as const) {
    expect((await all(readPairs(join(folder, "out"), { split }))).length).toBe(counts[split].pairs);
  }
});

test("bad files are counted and reported, and cost nothing else", async () => {
  await put("a/good.js", documented("good", "Does the one good thing."));
  await put("a/latin1.js", Uint8Array.from([47, 47, 32, 0xe9, 10]));
  await put("a/huge.js", "// big\n");
  await truncate(join(folder, "a/huge.js"), 50 * 2 ** 20);
  await put("a/app.min.js", documented("min", "Is minified and passed over."));
  await put("a/wide.js", `const x = "${"y".repeat(6000)}";\n`);
  await put("a/made.js", `// Code generated by maker. DO NOT EDIT.\n${documented("made", "Was generated by a tool.")}`);
  await put(
    "a/compiled.js",
    `"use strict";\nObject.defineProperty(exports, "__esModule", { value: true });\n${documented("c", "Was compiled from something else.")}`,
  );
  await put("a/types.d.ts", "export declare const x: number;\n");
  await put("a/node_modules/dep/index.js", documented("dep", "Is the work of others."));
  await put("a/zero.js", "let a = '\u0000';\n");
  await put("a/nested.js", `${"[".repeat(100_000)}\n`.replace(/\[{100}/g, "$&\n"));
  await symlink(join(folder, "a"), join(folder, "a/loop"));
  await symlink(join(folder, "a/good.js"), join(folder, "a/link.js"));
  const { events, manifest } = await build({ sources: [source("a")] });
  expect(manifest.pairs).toBe(1);
  expect(manifest.skippedFiles).toEqual({
    binary: 1,
    compiled: 1,
    declarations: 1,
    generated: 1,
    "long-lines": 1,
    minified: 1,
    "not-utf8": 1,
    "too-large": 1,
    vendored: 1,
  });
  const reported = events.flatMap((event) => (event.kind === "skipped" ? [`${event.path} ${event.reason}`] : []));
  expect(reported.sort()).toEqual(["huge.js too-large", "latin1.js not-utf8", "zero.js binary"]);
  expect(manifest.skipped.length).toBe(3);
});

describe("duplicates and splits", () => {
  test("held-out data wins, whatever the order of the sources", async () => {
    await put(
      "train/a.js",
      documented("same", "Adds the same on both sides.") +
        documented("own", "Reads the summary of the other.", "own(x);"),
    );
    await put(
      "test/b.js",
      `\n\n${documented("same", "Adds the same on both sides.").replace(/ {2}/g, "\t")}${documented("other", "Reads the summary of the other.")}`,
    );
    const { manifest } = await build({
      sources: [source("train", { split: "train" }), source("test", { split: "test" })],
    });
    expect(manifest.splits).toMatchObject({ train: { pairs: 0 }, test: { pairs: 2 } });
    expect(manifest.languages.javascript!.dropped).toEqual({ "duplicate-code": 1, "summary-held-out": 1 });
    expect(await all(readPairs(join(folder, "out")))).toEqual([]);
  });

  test("a summary may come back ten times, a document never", async () => {
    for (let i = 0; i < 14; i++)
      await put(`a/f${i}.js`, documented(`f${i}`, "Handles one event of many.", `on(${i});`));
    await put("a/g.js", documented("f0", "Handles one event of many.", "on(0);").replace(/\n/g, "\n\n"));
    const { manifest } = await build({ sources: [source("a")] });
    expect(manifest.pairs).toBe(10);
    expect(manifest.documents).toBe(14);
    expect(manifest.languages.javascript!.dropped).toEqual({ "duplicate-code": 1, "repeated-summary": 4 });
    expect(manifest.skippedFiles).toEqual({ duplicate: 1 });
  });

  test("one-line bodies and code that repeats its summary give no pair", async () => {
    await put(
      "a/x.js",
      "/** Gets the first of the names. */\nfunction first(names) {\n  // the first\n  return names[0];\n}\n" +
        "/** Maps every name to its length. */\nfunction map(names) {\n  return names.map((name) => {\n    return name.length;\n  });\n}\n" +
        documented("leak", "Opens the door of the house.", "// opens the door of the house\n  open();"),
    );
    await put("a/y.js", documented("kept", "Keeps the only one that stays."));
    const { manifest } = await build({ sources: [source("a")] });
    expect(manifest.languages.javascript!.dropped).toEqual({ leak: 1, "short-body": 1 });
    expect(manifest.pairs).toBe(2);
    // Mapping is all that `map` does: its body is the returned value.
    expect(manifest.languages.javascript!.bodyIsReturn).toBe(1);
  });
});

test("languages and exclude globs choose files", async () => {
  for (const path of ["src/a.js", "src/b.ts", "src/deep/c.js", "test/d.js", "e_test.js"]) {
    await put(`a/${path}`, documented("f", `Says where it is: ${path.replace(/\W/g, " ")}`, `at("${path}");`));
  }
  await build({ sources: [source("a", { exclude: ["test/**", "*_test.js"], languages: ["javascript"] })] });
  expect((await all(readDocuments(join(folder, "out")))).map(({ path }) => path)).toEqual([
    "src/a.js",
    "src/deep/c.js",
  ]);
});

describe("errors", () => {
  test("have codes and leave no corpus behind", async () => {
    await put("a/readme.md", "nothing");
    expect(await codeOf(build({ sources: [source("a")] }))).toBe("corpus.empty");
    expect(await codeOf(build({ sources: [source("missing")] }))).toBe("corpus.source");
    expect(await codeOf(build({ sources: [source("a/readme.md")] }))).toBe("corpus.source");
    expect(await codeOf(build({ sources: [source("a")], colour: 1 } as CorpusInput))).toBe("config.unknown-key");
    expect(await codeOf(all(readPairs(join(folder, "out"))))).toBe("corpus.missing");
    await put("blocked", "a file");
    expect(await codeOf(all(buildCorpus({ sources: [source("a")] }, join(folder, "blocked"))))).toBe(
      "output.unwritable",
    );
  });

  test("an interrupted build has no manifest, and the next one completes", async () => {
    for (let i = 0; i < 20; i++)
      await put(`a/f${i}.js`, documented(`f${i}`, `Computes the value number ${i} of all.`, `call(${i});`));
    const input: CorpusInput = { sources: [source("a")], shardRecords: 3 };
    const stop = new AbortController();
    const running = buildCorpus(input, join(folder, "out"), { signal: stop.signal });
    stop.abort(new Error("stopped"));
    await expect(all(running)).rejects.toThrow("stopped");
    expect(await codeOf(readManifest(join(folder, "out")))).toBe("corpus.missing");
    // What a killed process leaves: whole shards, a partial one, a lock of a process that is gone.
    await put("out/pairs/train-00000.parquet", "PAR1");
    await put("out/pairs/train-00099.parquet", "PAR1");
    await put("out/documents/test-00001.parquet.123.partial", "PAR1");
    await put("out/.lock", "999999999 1\n");
    const { manifest } = await build(input);
    expect(manifest.pairs).toBe(20);
    expect(
      (await readdir(join(folder, "out"), { recursive: true })).filter(
        (name) => name.includes("99") || name.includes("partial"),
      ),
    ).toEqual([]);
  });

  test("a second process in the same folder is refused", async () => {
    await put("a/f.js", documented("f", "Is there to be built once."));
    const running = buildCorpus({ sources: [source("a")] }, join(folder, "out"));
    await running.next(); // Holds the lock until it ends.
    expect(await codeOf(build({ sources: [source("a")] }))).toBe("output.locked");
    await all(running);
  });
});
