import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noisyWeights, tinyConfig } from "../../test/helpers/encoders.js";
import { TEXTS } from "../../test/helpers/texts.js";
import { Rng, type ProgressEvent } from "../base/index.js";
import { encoderFromState, type Encoder } from "../encoder/index.js";
import { trainTokenizer } from "../tokenizer/index.js";
import { ExactStore, indexFolder, searchFolder, windowChunks, type FolderCounts } from "./index.js";
import { listFiles } from "./_walk.js";

const ADD = "export function add(a, b) {\n  return a + b;\n}";
const PARSE =
  "/** Parses a date. */\nfunction parseDate(text) {\n  const [y, m, d] = text.split('-');\n  return { y, m, d };\n}";
const AREA = 'def area(r):\n    """The area of a disc."""\n    x = r * r\n    return 3 * x\n';

let folder: string;
let encoder: Encoder;
async function put(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-search-"));
  const tokenizer = await trainTokenizer(TEXTS, { vocabSize: 400 });
  const config = tinyConfig({ maxLength: 128 });
  encoder = await encoderFromState({ config, weights: noisyWeights(config), tokenizer }, { threads: 1 });
  await put("repo/.git/HEAD", "ref");
  await put("repo/.gitignore", "*.log\n/dist/\nsecret.js\n");
  await put("repo/src/math.js", `${ADD}\n\n${PARSE}\n`);
  await put("repo/src/area.py", AREA);
  await put("repo/src/.gitignore", "!secret.js\ngenerated/\n");
  await put("repo/src/secret.js", "function kept() {\n  let a = 1;\n  return a;\n}\n");
  await put("repo/src/generated/x.js", ADD);
  await put("repo/secret.js", ADD);
  await put("repo/dist/bundle.js", ADD);
  await put("repo/node_modules/m/index.js", ADD);
  await put("repo/debug.log", "noise");
  await put("repo/README.md", "# Title\n\nSome words.\n");
  await put("repo/bad/latin1.js", Buffer.from("// caf\xe9\nfunction f() {}", "latin1"));
  await put("repo/bad/image.png", Uint8Array.of(0x89, 0x50, 0, 0));
  await put("repo/bad/huge.js", `${ADD}\n`.repeat(1000));
  await put("repo/bad/min.js", `var a=${"1+".repeat(3000)}1;`);
  await put("repo/bad/empty.js", "\n");
  await symlink("..", join(folder, "repo/bad/loop"));
}, 60_000);
afterAll(async () => {
  await encoder.close();
  await rm(folder, { recursive: true, force: true });
});

test("files: .gitignore at every level, from above too; links are not followed", async () => {
  const kept = [".gitignore", "README.md"].concat(
    ["empty.js", "huge.js", "image.png", "latin1.js", "min.js"].map((name) => join("bad", name)),
    [".gitignore", "area.py", "math.js", "secret.js"].map((name) => join("src", name)),
  );
  expect(await listFiles(join(folder, "repo"))).toEqual(kept);
  await put("repo/bad/x.log", "noise");
  expect(await listFiles(join(folder, "repo", "bad"))).not.toContain("x.log");
  await expect(listFiles(join(folder, "nowhere"))).rejects.toMatchObject({ code: "search.folder" });
});

test("finds a function by its own text with similarity 1, with its lines", async () => {
  const root = join(folder, "repo");
  const index = await indexFolder(root, { encoder, maxBytes: 20_000 });
  const [first, second] = await index.search(ADD, 2);
  expect(first).toMatchObject({ path: join(root, "src/math.js"), startLine: 1, endLine: 3, name: "add" });
  expect(first!.score).toBeCloseTo(1, 5);
  expect(second!.score).toBeLessThan(first!.score);
  const [parsed] = await index.search(PARSE, 1); // Found with its documentation, reported without.
  expect(parsed).toMatchObject({ startLine: 6, endLine: 9, name: "parseDate" });
  expect(parsed!.score).toBeCloseTo(1, 5);
  const [area] = await index.search(AREA.trim(), 1);
  expect(area).toMatchObject({ path: join(root, "src/area.py"), startLine: 1, endLine: 4, name: "area" });
  expect(index.counts).toEqual({
    files: 11,
    chunks: 7,
    skipped: { "too large": 1, binary: 1, "not UTF-8": 1, "machine-made": 1, empty: 1 },
  });
});

test("searchFolder: best first, counts and progress told, abort heard", async () => {
  const events: ProgressEvent[] = [];
  const counts: FolderCounts[] = [];
  const hits = await searchFolder(join(folder, "repo/src"), "the area of a disc", {
    encoder,
    limit: 3,
    onProgress: (event) => events.push(event),
    onCounts: (told) => counts.push(told),
  });
  expect(hits.length).toBe(3);
  expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).sort((a, b) => b - a));
  expect(counts[0]!.chunks).toBe(5); // Four functions and the window of .gitignore.
  expect(events.at(-1)).toMatchObject({ stage: "search", done: 4, total: 4 });
  const aborted = AbortSignal.abort(new Error("stopped by the test"));
  await expect(searchFolder(folder, "x", { encoder, signal: aborted })).rejects.toThrow("stopped by the test");
});

test("windows of lines cover a text without gaps and leave blank ones out", () => {
  const text = Array.from({ length: 100 }, (_, i) => `line ${i + 1}`).join("\r\n");
  expect(windowChunks(text).map(({ startLine, endLine, name }) => [startLine, endLine, name])).toEqual([
    [1, 40, "line 1"],
    [41, 80, "line 41"],
    [81, 100, "line 81"],
  ]);
  expect(windowChunks(`${"x".repeat(1990)}\n${"y".repeat(3000)}\nz`).map(({ endLine }) => endLine)).toEqual([1, 2, 3]);
  expect(windowChunks("\n".repeat(90) + "end").map(({ startLine, name }) => [startLine, name])).toEqual([[81, "end"]]);
});

test("the exact store agrees with sorting every score", () => {
  const rng = Rng.fromSeed(2);
  const store = new ExactStore(8);
  const rows = Array.from({ length: 300 }, () => Float32Array.from({ length: 8 }, () => rng.int(5) - 2));
  for (const row of rows) store.add(row);
  expect(store.size).toBe(300);
  const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, k) => sum + value * b[k]!, 0);
  for (const query of rows.slice(0, 10)) {
    const all = rows.map((row, i) => ({ row: i, score: dot(row, query) }));
    all.sort((a, b) => b.score - a.score || a.row - b.row); // Small integers: many ties, exact sums.
    for (const limit of [0, 1, 7, 300, 400]) expect(store.nearest(query, limit)).toEqual(all.slice(0, limit));
  }
  expect(() => store.add(new Float32Array(7))).toThrow("expected a vector of 8 numbers");
});
