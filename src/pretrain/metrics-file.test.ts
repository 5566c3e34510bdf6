import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MetricsFile, metricsPath, readMetrics } from "./metrics-file.js";

let run: string;
beforeEach(async () => {
  run = await mkdtemp(join(tmpdir(), "lodestone-metrics-"));
});
afterEach(() => rm(run, { recursive: true, force: true }));

async function append(step: number, lines: readonly number[]): Promise<void> {
  const file = await MetricsFile.open(run, step);
  for (const line of lines) await file.append({ step: line, loss: line / 10 });
  await file.close();
}

test("a resumed run drops the lines after its checkpoint", async () => {
  await append(0, [1, 2, 3, 4]);
  await append(2, [3]);
  expect(await readMetrics(run)).toEqual([
    { step: 1, loss: 0.1 },
    { step: 2, loss: 0.2 },
    { step: 3, loss: 0.3 },
  ]);
});

test("half a line of a killed run is dropped too, and so is what is no metrics line", async () => {
  await writeFile(metricsPath(run), '{"step":1,"loss":1}\nnull\n{"step":2,"lo');
  expect(await readMetrics(run)).toEqual([{ step: 1, loss: 1 }]);
  await append(5, [2]);
  expect(await readFile(metricsPath(run), "utf8")).toBe('{"step":1,"loss":1}\n{"step":2,"loss":0.2}\n');
});

test("a folder without metrics", async () => {
  await expect(readMetrics(run)).rejects.toMatchObject({ code: "metrics.missing" });
});
