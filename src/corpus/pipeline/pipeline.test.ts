import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { contentsOf, documented, putFile, putPackages } from "../../../test/helpers/corpus.js";
import { Rng, UserError } from "../../base/index.js";
import {
  buildCorpus,
  mergeCorpora,
  openCorpus,
  readDocuments,
  readDropped,
  readPairs,
  type BuildOptions,
  type CorpusEvent,
  type CorpusInput,
  type CorpusManifest,
  type SourceInput,
} from "../index.js";
import type { Source, SourceEvent } from "../sources/types.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-pipeline-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const put = (path: string, text: string | Uint8Array): Promise<void> => putFile(join(folder, path), text);
const packages = (): Promise<CorpusInput> => putPackages(folder);

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

type Done = Extract<CorpusEvent, { kind: "done" }>;
function lastOf(events: readonly CorpusEvent[]): Done {
  const last = events.at(-1)!;
  if (last.kind !== "done") throw new Error(`ended with ${last.kind}`);
  return last;
}

async function build(input: CorpusInput, out = "out", options: BuildOptions = {}): Promise<CorpusManifest> {
  return lastOf(await all(buildCorpus(input, join(folder, out), { workers: 0, ...options }))).manifest;
}

const contents = (out: string): Promise<Record<string, string>> => contentsOf(join(folder, out));

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "none",
    (error: unknown) => (error instanceof UserError ? error.code : String(error)),
  );
}

const at = (name: string): SourceInput => ({ path: join(folder, name) });

describe("the same bytes", () => {
  test("whatever the size of a part, and from shards that are merged", async () => {
    const input = await packages();
    const manifest = await build(input);
    const whole = await contents("out");
    expect(Object.keys(whole)).toContain("/manifest.json");
    expect(manifest.languages.javascript!.dropped["duplicate-code"]).toBeGreaterThan(5);
    expect(manifest.languages.javascript!.dropped["near-duplicate"]).toBeGreaterThan(3);
    const { dropped } = manifest.languages.javascript!;
    expect((dropped["repeated-summary"] ?? 0) + dropped["summary-held-out"]!).toBeGreaterThan(5);
    await build(input, "small", { batchBytes: 3_000 });
    expect(await contents("small")).toEqual(whole);

    const shards: string[] = [];
    let parts = 0;
    for (let shard = 1; shard <= 3; shard++) {
      shards.push(join(folder, `shard${shard}`));
      const options: BuildOptions = { workers: 0, batchBytes: 3_000, shard: { shard, of: 3 } };
      const last = (await all(buildCorpus(input, shards.at(-1)!, options))).at(-1)!;
      expect(last).toMatchObject({ kind: "shard-done", shard, of: 3, incomplete: [] });
      if (last.kind === "shard-done") parts += last.parts;
    }
    expect(parts).toBeGreaterThan(15);
    await all(mergeCorpora([shards[2]!, shards[0]!, shards[1]!], join(folder, "merged")));
    expect(await contents("merged")).toEqual(whole);
    expect(await codeOf(all(mergeCorpora(shards.slice(1), join(folder, "few"))))).toBe("corpus.merge");
    expect(await codeOf(all(mergeCorpora([...shards, shards[0]!], join(folder, "twice"))))).toBe("corpus.merge");
    expect(await codeOf(all(mergeCorpora([folder], join(folder, "none"))))).toBe("corpus.merge");
    // The same corpus is there already.
    expect(lastOf(await all(mergeCorpora(shards, join(folder, "merged")))).reused).toBe(true);
  });

  test("after an abort, with what was whole used again", async () => {
    const input = await packages();
    await build(input, "whole", { batchBytes: 3_000 });
    const stop = new AbortController();
    const running = buildCorpus(input, join(folder, "out"), { workers: 0, batchBytes: 3_000, signal: stop.signal });
    const parts = async (): Promise<string[]> =>
      (await readdir(join(folder, "out"), { recursive: true })).filter((name) => name.endsWith(".part"));
    setTimeout(() => stop.abort(new Error("stopped")), 60);
    await expect(all(running)).rejects.toThrow("stopped");
    const before = await parts();
    expect(await readdir(join(folder, "out"))).not.toContain("manifest.json");
    await build(input, "out", { batchBytes: 3_000 });
    expect(await contents("out")).toEqual(await contents("whole"));
    expect(before.every((name) => !name.endsWith(".partial"))).toBe(true);
  });
});

describe("splits", () => {
  test("no origin, no summary and no near-duplicate code on two sides", async () => {
    await build(await packages());
    const pairs = await all(readPairs(join(folder, "out"), { split: "all" }));
    const sides = (key: (pair: (typeof pairs)[number]) => string): number => {
      const seen = new Map<string, Set<string>>();
      for (const pair of pairs) {
        const set = seen.get(key(pair)) ?? new Set();
        seen.set(key(pair), set.add(pair.split));
      }
      return Math.max(...[...seen.values()].map((set) => set.size));
    };
    expect(new Set(pairs.map(({ split }) => split)).size).toBe(3);
    expect(sides(({ origin }) => origin)).toBe(1);
    expect(sides(({ summary }) => summary.toLowerCase())).toBe(1);
    expect(sides(({ name }) => (name.startsWith("shared") ? name : "other" + name))).toBe(1);
    const shared = pairs.filter(({ name }) => name.startsWith("shared"));
    expect(new Set(shared.map(({ name }) => name)).size).toBe(shared.length);
    // Training files do not hold the code of held-out pairs either.
    const heldOut = shared.filter(({ split }) => split !== "train").map(({ name }) => name);
    for (const { text } of await all(readDocuments(join(folder, "out")))) {
      for (const name of heldOut) expect(text).not.toContain(`function ${name}(`);
    }
  });

  test("an origin has at most its share of a language, a source at most its pairs", async () => {
    const rng = Rng.fromSeed(4);
    for (const [name, count] of [
      ["giant", 60],
      ["b", 10],
      ["c", 8],
      ["d", 7],
    ] as const) {
      for (let i = 0; i < count; i++) {
        await put(
          `${name}/f${i}.js`,
          documented(`${name}${i}`, `Does the ${name} thing number ${i}.`, rng.split(name, i)),
        );
      }
    }
    const sources = [at("giant"), at("b"), at("c"), { path: join(folder, "d"), maxPairs: 3 }];
    const manifest = await build({ sources, maxOriginShare: 0.4 });
    // 10 + 8 + 3 = 21 others; 14 of 35 is 40%.
    expect(manifest.pairs).toBe(35);
    expect(manifest.languages.javascript!.dropped).toEqual({ "origin-cap": 46, "source-cap": 4 });
    const dropped = await readDropped(join(folder, "out"));
    expect(dropped.functions.javascript!["origin-cap"]).toHaveLength(10);
    expect(dropped.functions.javascript!["source-cap"]).toHaveLength(4);
  });
});

test("documentation can be kept on the code side, by seed", async () => {
  const rng = Rng.fromSeed(4);
  for (let i = 0; i < 40; i++) await put(`a/f${i}.js`, documented(`f${i}`, `Does the thing number ${i}.`, rng));
  await put("a/g.py", 'def g(a):\n    """Says what g does here."""\n    b = a + 1\n    c(b)\n    return b\n');
  await build({ sources: [at("a")], docstring: { keep: 0.5 } });
  const pairs = await all(readPairs(join(folder, "out")));
  const kept = pairs.filter(({ code, summary }) => code.includes(summary));
  expect(kept.length).toBeGreaterThan(10);
  expect(kept.length).toBeLessThan(31);
  expect(kept.find(({ lang }) => lang === "javascript")!.code).toMatch(/^\/\*\*\n \* Does the thing/);
  expect(pairs.some(({ body, summary }) => body.includes(summary))).toBe(false);
  await build({ sources: [at("a")], docstring: { keep: 1 } }, "all");
  const python = (await all(readPairs(join(folder, "all")))).find(({ lang }) => lang === "python")!;
  expect(python.code).toContain('"""Says what g does here."""');
});

test("rows are read by their place", async () => {
  await build(await packages());
  const corpus = await openCorpus(join(folder, "out"));
  try {
    const pairs = await all(corpus.pairs.records({ split: "train" }));
    const groups = corpus.pairs.groups("train");
    expect(corpus.pairs.shards.length).toBeGreaterThan(3);
    expect(groups.reduce((sum, { rows }) => sum + rows, 0)).toBe(pairs.length);
    const last = groups.at(-1)!;
    expect((await corpus.pairs.readGroup(last)).at(-1)).toEqual(pairs.at(-1));
    expect(await corpus.pairs.row(last.shard, last.start + last.rows - 1)).toEqual(pairs.at(-1));
    expect(await corpus.pairs.readGroup(groups[0]!, ["lang", "split"])).toEqual(
      pairs.slice(0, groups[0]!.rows).map(({ lang, split }) => ({ lang, split })),
    );
  } finally {
    await corpus.close();
  }
  const { file } = corpus.pairs.shards[0]!;
  await writeFile(join(folder, "out", file), (await readFile(join(folder, "out", file))).subarray(0, 300));
  expect(await codeOf(all(readPairs(join(folder, "out"), { split: "all" })))).toBe("corpus.shard");
});

describe("evaluation sets", () => {
  const clean =
    "def clean(rows):\n    found = []\n    for row in rows:\n        if row.strip() != '':\n            found.append(row.strip().lower())\n    return found";
  const renamed =
    "def tidy(lines):\n    out = []\n    for line in lines:\n        if line.strip() != '':\n            out.append(line.strip().lower())\n    return out";
  const asFile = (code: string, summary: string): string =>
    `import os\n\n${code.replace("\n", `\n    """${summary}"""\n`)}\n\n\ndef main():\n    print(os.getcwd())\n`;

  test("what they hold leaves pairs and documents, and is counted by set", async () => {
    const long = Array.from({ length: 30 }, (_, i) => `    step_${i}(value, ${i * i})`).join("\n");
    await put(
      "sets/one/corpus.jsonl",
      `${JSON.stringify({ id: "1", text: clean.replace("found = []", "found = []  # none yet"), lang: "python" })}\n`,
    );
    await put(
      "sets/one/queries.jsonl",
      `${JSON.stringify({ id: "q", text: "remove blank lines from rows in python" })}\n`,
    );
    await put(
      "sets/two/test.jsonl",
      `${JSON.stringify({ id: "2", text: `def run(value):\n${long}\n    return value`, lang: "python" })}\n`,
    );
    await put("a/exact.py", asFile(clean, "Drops the rows that are blank."));
    await put("a/renamed.py", asFile(renamed, "Drops the lines that are blank."));
    await put(
      "a/near.py",
      asFile(
        `def run(value):\n${long.replace("step_7", "step_8")}\n    return value`,
        "Runs all of the steps in order.",
      ),
    );
    await put("a/undocumented.py", clean);
    await put(
      "a/other.py",
      asFile("def other(a):\n    b = a.one()\n    b.two()\n    return b", "Does some other thing with it."),
    );
    const sets = ["one", "two"].map((name) => join(folder, "sets", name));
    const manifest = await build({ sources: [at("a")], exclude: sets });
    expect((await all(readPairs(join(folder, "out")))).map(({ name }) => name)).toEqual(["other"]);
    expect((await all(readDocuments(join(folder, "out")))).map(({ path }) => path)).toEqual(["other.py"]);
    expect(manifest.excluded).toEqual([
      { set: "one", texts: 2, functions: 3, pairs: 2, documents: 3 },
      { set: "two", texts: 1, functions: 1, pairs: 1, documents: 1 },
    ]);
    expect(manifest.languages.python!.dropped["contaminated"]).toBe(3);
    expect(await codeOf(build({ sources: [at("a")], exclude: [folder] }, "bad"))).toBe("corpus.exclude");
    const without = await build({ sources: [at("a")], excludeOrigins: ["*"] }, "none").catch((error: unknown) => error);
    expect(without).toMatchObject({ code: "corpus.empty" });
  });
});

describe("sources that fail", () => {
  function fake(events: () => AsyncGenerator<SourceEvent>, required: boolean): Source {
    const config = { kind: "directory", path: "x", paths: [], exclude: [], required } as const;
    return {
      origin: "directory:x",
      version: "1",
      fingerprint: "f".repeat(64),
      required,
      config: { ...config, paths: [], exclude: [] },
      items: events,
    };
  }
  const item = (path: string, text: string): SourceEvent => ({
    kind: "item",
    item: {
      kind: "file",
      origin: "directory:x",
      version: "1",
      path,
      licence: "MIT",
      lang: undefined,
      bytes: Buffer.from(text),
    },
  });
  const good = (i: number): SourceEvent =>
    item(`f${i}.js`, documented(`f${i}`, `Does the thing number ${i}.`, Rng.fromSeed(i)));

  test("their error is counted, the rest goes on, and what is required is told", async () => {
    async function* broken(): AsyncGenerator<SourceEvent> {
      yield good(1);
      yield {
        kind: "skipped",
        origin: "directory:x",
        path: "a.tgz",
        reason: "broken-archive",
        detail: "unexpected end",
      };
      yield good(2);
      throw new Error("the disk is gone");
    }
    const events = await all(
      buildCorpus({ sources: [at("x")] }, join(folder, "out"), { workers: 0, sources: [fake(broken, true)] }),
    );
    const { manifest, incomplete } = lastOf(events);
    expect(incomplete).toEqual(["directory:x"]);
    expect(manifest.pairs).toBe(2);
    expect(manifest.sources[0]).toMatchObject({ items: 2, failures: 2, required: true, version: "1" });
    expect(manifest.licences).toEqual({ MIT: { documents: 2, pairs: 2 } });
    expect(manifest.skipped).toEqual([
      { origin: "directory:x", path: "a.tgz", reason: "broken-archive", detail: "unexpected end" },
      { origin: "directory:x", path: "", reason: "unreadable", detail: "the disk is gone" },
    ]);
    expect(events.filter(({ kind }) => kind === "skipped")).toHaveLength(2);
  });

  test("functions that come cut out become pairs without documents", async () => {
    const method =
      "public int total(int[] values) {\n    int sum = 0;\n    for (int v : values) sum += v;\n    log(sum);\n    return sum;\n}";
    async function* functions(): AsyncGenerator<SourceEvent> {
      const base = { kind: "function", origin: "codesearchnet:a/b", version: "", licence: "MIT" } as const;
      yield {
        kind: "item",
        item: {
          ...base,
          path: "A.java",
          lang: "java",
          bytes: Buffer.from(method),
          docstring: "Adds up all of the values.",
          name: "A.total",
        },
      };
      yield {
        kind: "item",
        item: {
          ...base,
          path: "b.go",
          lang: "go",
          bytes: Buffer.from("not a function"),
          docstring: "Says nothing at all here.",
          name: "b",
        },
      };
    }
    const manifest = await build({ sources: [at("x")] }, "out", { sources: [fake(functions, false)] });
    const [pair] = await all(readPairs(join(folder, "out")));
    expect(pair).toMatchObject({
      name: "A.total",
      summary: "Adds up all of the values.",
      code: method,
      startLine: 1,
      endLine: 6,
    });
    expect(manifest.documents).toBe(0);
    expect(manifest.skippedFiles).toEqual({ "no-function": 1 });
  });
});
