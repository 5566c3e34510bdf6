import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { startWorker } from "../../src/base/index.js";
import type { BenchFile } from "./files.js";

/** Threads that extract, each its share of the files; they stay up between repetitions. */
export class ExtractionWorkers {
  private constructor(private readonly workers: readonly Worker[]) {}

  /** Deals the files out by size, so that the shares take about as long. */
  static async start(files: readonly BenchFile[], count: number): Promise<ExtractionWorkers> {
    const shares = Array.from({ length: count }, () => ({ files: [] as BenchFile[], bytes: 0 }));
    for (const lang of new Set(files.map((file) => file.lang))) {
      for (const share of shares) share.bytes = 0; // Languages differ in speed: each is dealt out by itself.
      for (const file of files.filter((one) => one.lang === lang).sort((a, b) => b.bytes - a.bytes)) {
        const least = shares.reduce((a, b) => (b.bytes < a.bytes ? b : a));
        least.files.push(file);
        least.bytes += file.bytes;
      }
    }
    const workers = shares.map((share) => {
      return startWorker(new URL("./_worker.js", import.meta.url), { workerData: { files: share.files } });
    });
    await Promise.all(workers.map((worker) => once(worker, "message")));
    return new ExtractionWorkers(workers);
  }

  /** Seconds until all are done. */
  async run(): Promise<number> {
    const start = performance.now();
    const done = this.workers.map((worker) => once(worker, "message"));
    for (const worker of this.workers) worker.postMessage("go");
    await Promise.all(done);
    return (performance.now() - start) / 1000;
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}
