import type { Worker } from "node:worker_threads";
import { internalError, startWorker } from "../../base/index.js";
import type { Batch } from "./_batch.js";
import { examine, type ExamineOptions } from "./_examine.js";
import { Exclusion, type ExclusionData } from "./_exclusion.js";
import { encodePart } from "./_part.js";

export interface WorkerData {
  readonly options: ExamineOptions;
  readonly exclusion: ExclusionData;
  /** One Int32: the place of the item in hand, -1 between batches. */
  readonly state: SharedArrayBuffer;
}
export interface WorkerTask {
  readonly batch: Batch;
  readonly poison: readonly (readonly [item: number, reason: string])[];
}
export type WorkerReply =
  { readonly part: Uint8Array; readonly pairs: number } | { readonly error: string; readonly stack: string };

export interface PoolOptions {
  /** Threads; 0: everything in this one. */
  readonly workers: number;
  /** Seconds that one item may take. */
  readonly itemSeconds: number;
  /** Bytes of source code after which a thread is replaced: WebAssembly memory grows and never shrinks. */
  readonly recycleBytes: number;
  readonly examine: ExamineOptions;
  readonly exclusion: ExclusionData;
  /** The threads' module; another one in tests of threads that fail. */
  readonly worker?: URL;
  /** Told of threads that died or hung. */
  readonly onTrouble: (message: string) => void;
}

export interface Part {
  readonly bytes: Uint8Array;
  readonly pairs: number;
}

/**
 * Examines batches, in worker threads or in this one. A thread that dies or hangs is replaced, and its batch is examined
 * again without the item it had in hand, which is counted as `crash` or `timeout`.
 */
export class Pool {
  private readonly idle: Thread[] = [];
  private readonly waiting: ((thread: Thread) => void)[] = [];
  private threads = 0;
  private own: Exclusion | undefined;

  constructor(private readonly options: PoolOptions) {}

  async run(batch: Batch): Promise<Part> {
    const { workers, examine: settings } = this.options;
    if (workers === 0) {
      this.own ??= new Exclusion(this.options.exclusion);
      const examined = await examine(batch, settings, this.own);
      return { bytes: encodePart(examined), pairs: examined.pairs.length };
    }
    const poison: [number, string][] = [];
    for (;;) {
      const thread = await this.take();
      const outcome = await thread.run({ batch, poison }, this.options.itemSeconds);
      if ("part" in outcome) {
        if (thread.bytes > this.options.recycleBytes) await this.discard(thread);
        else this.give(thread);
        return { bytes: outcome.part, pairs: outcome.pairs };
      }
      await this.discard(thread);
      if ("error" in outcome) throw internalError(`${outcome.error}\n${outcome.stack}`);
      const { reason, item } = outcome;
      const lost = batch.items[item];
      // Before the first item it was not a file's fault: out of memory at its start, say.
      if (lost === undefined || poison.length > 100) {
        throw internalError(`a worker thread of the corpus build ended (${outcome.message})`);
      }
      this.options.onTrouble(
        `${lost.origin}/${lost.path}: a worker thread ${TROUBLE[reason]}; the file is passed over`,
      );
      poison.push([item, reason]);
    }
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    await Promise.all(this.idle.splice(0).map((thread) => thread.end()));
  }

  private async take(): Promise<Thread> {
    const thread = this.idle.pop();
    if (thread !== undefined) return thread;
    if (this.threads < this.options.workers) {
      this.threads += 1;
      return new Thread(this.options);
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private give(thread: Thread): void {
    const next = this.waiting.shift();
    if (next === undefined) this.idle.push(thread);
    else next(thread);
  }

  private async discard(thread: Thread): Promise<void> {
    await thread.end();
    this.threads -= 1;
    const next = this.waiting.shift();
    if (next === undefined) return;
    this.threads += 1;
    next(new Thread(this.options));
  }
}

const TROUBLE = { crash: "ended on it", timeout: "did not come back from it in time" } as const;

type Outcome = WorkerReply | { readonly reason: "crash" | "timeout"; readonly item: number; readonly message: string };

class Thread {
  /** Of source code examined. */
  bytes = 0;
  private readonly state = new SharedArrayBuffer(4);
  private readonly worker: Worker;
  private failed: string | undefined;

  constructor({ examine: options, exclusion, worker = new URL("./_worker.js", import.meta.url) }: PoolOptions) {
    const workerData: WorkerData = { options, exclusion, state: this.state };
    Atomics.store(new Int32Array(this.state), 0, -1);
    this.worker = startWorker(worker, {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: 1024 },
    });
    this.worker.on("error", (error) => (this.failed = error instanceof Error ? error.message : String(error)));
  }

  run(task: WorkerTask, itemSeconds: number): Promise<Outcome> {
    for (const { bytes } of task.batch.items) this.bytes += bytes.byteLength;
    const place = new Int32Array(this.state);
    return new Promise((resolve) => {
      let last = -2;
      let since = performance.now();
      const settle = (outcome: Outcome): void => {
        clearInterval(watch);
        this.worker.off("message", settle);
        this.worker.off("exit", died);
        resolve(outcome);
      };
      const died = (): void =>
        settle({ reason: "crash", item: Atomics.load(place, 0), message: this.failed ?? "it ended by itself" });
      const watch = setInterval(
        () => {
          const item = Atomics.load(place, 0);
          if (item !== last) [last, since] = [item, performance.now()];
          else if (item >= 0 && performance.now() - since > 1000 * itemSeconds) {
            settle({ reason: "timeout", item, message: "it hung" });
          }
        },
        Math.min(1000, 250 * itemSeconds),
      );
      this.worker.on("message", settle);
      this.worker.on("exit", died);
      this.worker.postMessage(task);
    });
  }

  async end(): Promise<void> {
    this.worker.removeAllListeners("exit");
    await this.worker.terminate();
  }
}
