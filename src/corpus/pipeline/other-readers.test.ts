import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableFromIPC } from "apache-arrow";
import type * as ParquetWasm from "parquet-wasm";
import { expect, test } from "vitest";
import { putPackages } from "../../../test/helpers/corpus.js";
import { buildCorpus, readManifest, readPairs } from "../index.js";

const { readParquet } = createRequire(import.meta.url)("parquet-wasm") as typeof ParquetWasm;

test("Arrow's own Parquet reader sees the records that ours does", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lodestone-readers-"));
  try {
    const out = join(folder, "out");
    for await (const event of buildCorpus(await putPackages(folder), out, { workers: 0 })) void event;
    const rows: unknown[] = [];
    for (const { file, split, records } of (await readManifest(out)).shards.pairs) {
      const bytes = await readFile(join(out, file));
      const table = tableFromIPC(readParquet(bytes).intoIPCStream());
      expect(table.numRows).toBe(records);
      for (const row of table) rows.push({ ...row!.toJSON(), split });
    }
    const ours: unknown[] = [];
    for await (const pair of readPairs(out, { split: "all" })) ours.push(pair);
    expect(rows).toEqual(ours);
    expect(rows.length).toBeGreaterThan(50);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
