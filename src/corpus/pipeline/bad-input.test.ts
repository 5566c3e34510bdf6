import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parquetWriteFile } from "hyparquet-writer";
import { afterEach, beforeEach, expect, test } from "vitest";
import { documented, putFile } from "../../../test/helpers/corpus.js";
import { Rng } from "../../base/index.js";
import { buildCorpus, type CorpusEvent, type SourceInput } from "../index.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-bad-input-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const good = (name: string): string =>
  documented(name, `Does the thing that ${name} is for.`, Rng.fromSeed(name.length));

async function build(sources: readonly SourceInput[]): Promise<Extract<CorpusEvent, { kind: "done" }>> {
  let last: CorpusEvent | undefined;
  for await (const event of buildCorpus({ sources }, join(folder, "out"), { workers: 0 })) last = event;
  if (last?.kind !== "done") throw new Error("no end");
  return last;
}

test("a truncated gzip gives the rows before its end, and is told as a failure of what requires it", async () => {
  await putFile(join(folder, "a/good.js"), good("first"));
  const noise = Rng.fromSeed(3);
  const rows = Array.from({ length: 300 }, (_, i) => {
    const content = `${good(`row${i}`)}// ${Array.from({ length: 30 }, () => noise.int(2 ** 31)).join(" ")}\n`;
    return JSON.stringify({ content, lang: "JavaScript", path: `f${i}.js`, licenses: ["MIT"] });
  });
  const whole = gzipSync(rows.join("\n"));
  await putFile(join(folder, "stack/data.jsonl.gz"), whole.subarray(0, Math.floor(whole.length * 0.6)));
  const { manifest, incomplete } = await build([
    { path: join(folder, "a") },
    { kind: "stack", path: join(folder, "stack") },
  ]);
  expect(manifest.pairs).toBeGreaterThanOrEqual(1);
  expect(manifest.sources[1]!.failures).toBeGreaterThan(0);
  expect(manifest.skipped.length).toBeGreaterThan(0);
  expect(manifest.skipped[0]!.path).toContain("data.jsonl.gz");
  expect(incomplete).toEqual([manifest.sources[1]!.origin]);
});

test("a Parquet file without the columns that are needed", async () => {
  await putFile(join(folder, "a/good.js"), good("first"));
  await putFile(join(folder, "stack/.keep"), "");
  parquetWriteFile({
    filename: join(folder, "stack/data.parquet"),
    columnData: [{ name: "something", data: ["a", "b"], type: "STRING" }],
  });
  const { manifest, incomplete } = await build([
    { path: join(folder, "a") },
    { kind: "stack", path: join(folder, "stack"), required: false },
  ]);
  expect(manifest.pairs).toBe(1);
  expect(manifest.skippedFiles["columns"]).toBe(1);
  expect(manifest.skipped[0]).toMatchObject({ reason: "columns" });
  expect(incomplete).toEqual([]);
});

test("loops of links, invalid UTF-8, binary files and long lines", async () => {
  await putFile(join(folder, "a/good.js"), good("first"));
  await putFile(join(folder, "a/latin1.js"), Uint8Array.from([47, 47, 32, 0xe9, 10]));
  await putFile(join(folder, "a/zero.js"), "let a = '\u0000';\n");
  await putFile(join(folder, "a/line.js"), `let a = "${"x".repeat(900_000)}";\n`);
  await symlink(join(folder, "a"), join(folder, "a/loop"));
  const { manifest } = await build([{ path: join(folder, "a") }]);
  expect(manifest.pairs).toBe(1);
  expect(manifest.skippedFiles).toEqual({ binary: 1, "long-lines": 1, "not-utf8": 1 });
  const dropped = JSON.parse(await readFile(join(folder, "out", "dropped.json"), "utf8")) as {
    files: Record<string, { path: string }[]>;
  };
  expect(dropped.files["long-lines"]![0]!.path).toBe("line.js");
});
