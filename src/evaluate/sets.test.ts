import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadSet } from "./index.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-set-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const text = Array.isArray(content)
      ? content.map((row) => `${JSON.stringify(row)}\n`).join("")
      : JSON.stringify(content);
    await writeFile(join(folder, name), text);
  }
}

const GOOD = {
  "queries.jsonl": [{ id: "q", text: "sort a list" }],
  "corpus.jsonl": [
    { id: "a", text: "def f(): pass", lang: "python", extra: 1 },
    { id: "b", text: "sort(xs)", lang: "python" },
  ],
  "qrels.jsonl": [
    { query: "q", doc: "b" },
    { query: "q", doc: "a" },
    { query: "q", doc: "b" },
  ],
};

test("a retrieval set: indices sorted and once each, languages empty where missing, flags from meta.json", async () => {
  await write({ ...GOOD, "meta.json": { kind: "retrieval", exclude_self: true, licence: "x" } });
  expect(await loadSet(folder)).toMatchObject({
    kind: "retrieval",
    queries: [{ id: "q", lang: "" }],
    docs: [{ lang: "python" }, { text: "sort(xs)" }],
    relevant: [Int32Array.of(0, 1)],
    excludeSelf: true,
    sameLangOnly: false,
  });
});

test("a classification set is told by its files where meta.json is missing", async () => {
  const row = { id: "1", text: "x", lang: "java", label: "linear" };
  await write({ "train.jsonl": [row], "test.jsonl": [{ ...row, label: 3 }] });
  expect(await loadSet(folder)).toMatchObject({
    kind: "classification",
    train: [{ label: "linear" }],
    test: [{ label: 3 }],
  });
});

test.each([
  [
    "no qrels",
    { "queries.jsonl": GOOD["queries.jsonl"], "corpus.jsonl": GOOD["corpus.jsonl"] },
    "qrels.jsonl: expected a file of the set",
  ],
  [
    "a query without documents",
    { ...GOOD, "queries.jsonl": [...GOOD["queries.jsonl"], { id: "p", text: "" }] },
    "none for p",
  ],
  [
    "an unknown document",
    { ...GOOD, "qrels.jsonl": [{ query: "q", doc: "z" }] },
    "expected ids of corpus.jsonl, got doc z",
  ],
  [
    "an unknown query",
    { ...GOOD, "qrels.jsonl": [{ query: "z", doc: "a" }] },
    "expected ids of queries.jsonl, got query z",
  ],
  ["an id twice", { ...GOOD, "corpus.jsonl": [...GOOD["corpus.jsonl"], { id: "a", text: "" }] }, "a again in row 3"],
  ["a row without text", { ...GOOD, "corpus.jsonl": [{ id: "a" }] }, "row 1: text:"],
  ["an empty file", { ...GOOD, "corpus.jsonl": [] }, "expected at least one row, got none"],
  ["a wrong flag", { ...GOOD, "meta.json": { exclude_self: "yes" } }, "exclude_self"],
])("%s is named", async (_, files, message) => {
  await write(files);
  await expect(loadSet(folder)).rejects.toThrow(message);
});

test("broken JSON is named with its line, and a folder that is not there too", async () => {
  await write(GOOD);
  await writeFile(join(folder, "qrels.jsonl"), '{"query": "q", "doc": "a"}\n{oops\n');
  await expect(loadSet(folder)).rejects.toThrow("qrels.jsonl:2: expected one JSON value");
  await writeFile(join(folder, "meta.json"), "{");
  await expect(loadSet(folder)).rejects.toThrow("meta.json: expected JSON");
  await expect(loadSet(join(folder, "nowhere"))).rejects.toMatchObject({ code: "evaluate.set-missing" });
});
