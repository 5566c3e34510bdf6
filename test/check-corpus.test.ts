import { cp, mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkCorpus } from "../scripts/check-corpus.js";
import { LANGUAGES } from "../src/base/index.js";
import { buildCorpus } from "../src/corpus/index.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-leak-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const FIXTURES = fileURLToPath(new URL("../src/languages/fixtures/", import.meta.url));
const FILES = ["python.py", "java.java", "javascript.js", "csharp.cs", "c.c", "ruby.rb", "go.go", "php.php"];

async function corpus(docstring: "strip" | { keep: number }): Promise<string> {
  const source = join(folder, "source");
  await mkdir(source);
  for (const file of FILES) await cp(join(FIXTURES, file), join(source, file));
  await cp(join(FIXTURES, "typescript.ts.txt"), join(source, "typescript.ts"));
  await writeFile(
    join(source, "repeats.js"),
    "/** Reads the next line of the open file. */\nfunction next() {\n  // Reads the next line of the open file:\n  at += 1;\n  return lines[at];\n}\n",
  );
  const out = join(folder, "out");
  for await (const event of buildCorpus({ sources: [{ path: source }], docstring }, out, { workers: 0 })) void event;
  return out;
}

test("a corpus of the fixtures has pairs of every language, and none leaks", async () => {
  const { pairs, leaks, languages } = await checkCorpus(await corpus("strip"));
  expect(Object.keys(languages).sort()).toEqual([...LANGUAGES].sort());
  for (const language of LANGUAGES) expect(languages[language]!.pairs, language).toBeGreaterThan(1);
  expect({ leaks, some: pairs > 20 }).toEqual({ leaks: 0, some: true });
});

test("where documentation is kept on purpose, bodies are still held to it", async () => {
  const { pairs, leaks } = await checkCorpus(await corpus({ keep: 1 }));
  expect(pairs).toBeGreaterThan(20);
  expect(leaks).toBe(0);
});
