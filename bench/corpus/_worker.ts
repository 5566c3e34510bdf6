import { parentPort, workerData } from "node:worker_threads";
import type { Language } from "../../src/base/index.js";
import { extractFiles, parsersOf, type Parsers } from "./extraction.js";
import type { BenchFile } from "./files.js";

/** Extracts its files whenever it is told to, and answers with the seconds that it took. */
const { files } = workerData as { files: readonly BenchFile[] };
const parsers = new Map<Language, Parsers>();
for (const lang of new Set(files.map((file) => file.lang))) parsers.set(lang, await parsersOf(lang));
parentPort!.on("message", () => {
  const start = performance.now();
  extractFiles(files, parsers);
  parentPort!.postMessage((performance.now() - start) / 1000);
});
parentPort!.postMessage("ready");
