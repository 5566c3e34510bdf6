import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker, type WorkerOptions } from "node:worker_threads";

/**
 * Starts a worker thread from a module of ours.
 *
 * @param url the compiled module's URL: `new URL("./_worker.js", import.meta.url)`. In a source checkout, where only the
 * `.ts` exists (tests), the worker is started through tsx.
 */
export function startWorker(url: URL, options: WorkerOptions = {}): Worker {
  if (existsSync(fileURLToPath(url))) return new Worker(url, options);
  const source = new URL(url.href.replace(/\.js$/, ".ts"));
  return new Worker(
    `import("tsx/esm/api").then((tsx) => { tsx.register(); return import(${JSON.stringify(source.href)}); });`,
    { ...options, eval: true },
  );
}
