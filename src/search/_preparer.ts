import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { startWorker } from "../base/index.js";
import { unpackChunks } from "./_packed-chunks.js";
import { prepareFiles, type CutFile, type CutTimes, type PrepareOptions } from "./_prepare.js";
import type { PrepareReply, PrepareRequest, PrepareWorkerData } from "./_prepare-worker.js";
import type { NewChunk } from "./store/store.js";

/** Characters of source that are handed to a thread at a time. */
const BATCH_UNITS = 2 ** 15;
/** Batches that a thread holds: one in hand, one so that it need not wait. */
const HELD = 2;
const MOST_THREADS = 8;
/**
 * Bytes of source for which one more thread pays: it takes a quarter of a second to start, and its code and caches are cold.
 * Measured on two cores: with 4 MB two threads are hardly faster than one, with 18 MB they take three quarters of its time.
 */
const BYTES_PER_THREAD = 2 ** 21;

/** Threads, this one among them, for so many bytes of source. */
export function threadsFor(bytes: number): number {
  return Math.max(1, Math.min(availableParallelism(), MOST_THREADS, Math.floor(bytes / BYTES_PER_THREAD)));
}

export interface PreparerOptions extends Omit<PrepareOptions, "encoder"> {
  /** Threads, this one among them. */
  readonly threads: number;
  /** From where other threads open the encoder. */
  readonly model: PrepareWorkerData["model"];
  /** The threads' module; another one in tests of threads that die. */
  readonly worker?: URL | undefined;
}

interface Batch {
  readonly files: CutFile[];
  readonly take: ((chunks: NewChunk[]) => void)[];
  units: number;
}

/**
 * Prepares files, in this thread and in others that take batches as they are ready for them. What the others fail at, this
 * thread does again: an error comes from here, and a thread that dies costs time only.
 */
export class Preparer {
  /** Summed over threads. */
  readonly times: CutTimes = { parse: 0, words: 0, embed: 0 };
  /** Files that other threads prepared. */
  elsewhere = 0;
  private readonly threads: Thread[] = [];
  private readonly again: Batch[] = [];
  private batch: Batch = { files: [], take: [], units: 0 };
  private wake: () => void = () => undefined;
  private encoder: PrepareOptions["encoder"];

  constructor(private readonly options: PreparerOptions) {
    const { threads, model, worker = new URL("./_prepare-worker.js", import.meta.url) } = options;
    for (let i = 1; i < threads; i++) {
      this.threads.push(
        new Thread(startWorker(worker, { workerData: { model } satisfies PrepareWorkerData }), {
          done: (batch, chunks, times) => {
            this.elsewhere += batch.files.length;
            this.finish(batch, chunks, times);
            this.wake();
          },
          failed: (batches) => {
            this.again.push(...batches);
            this.wake();
          },
        }),
      );
    }
  }

  /** This thread's own encoder; before the first file. */
  use(encoder: PrepareOptions["encoder"]): void {
    this.encoder = encoder;
  }

  /** Until every thread has started, or will not. */
  async started(): Promise<void> {
    await Promise.all(this.threads.map(({ started }) => started));
  }

  /** Takes a file in; its chunks come at some time until {@link Preparer.end}. */
  async add(file: CutFile, take: (chunks: NewChunk[]) => void): Promise<void> {
    this.batch.files.push(file);
    this.batch.take.push(take);
    this.batch.units += file.text.length;
    if (this.batch.units >= BATCH_UNITS) await this.flush();
  }

  /** Waits for all that was taken in. */
  async end(): Promise<void> {
    await this.flush();
    for (;;) {
      const batch = this.again.pop();
      if (batch !== undefined) await this.doHere(batch);
      else if (this.threads.every(({ held }) => held === 0)) return;
      else await this.next();
    }
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()));
  }

  /** Until a thread says something, or the signal. */
  private async next(): Promise<void> {
    const { signal } = this.options;
    signal?.throwIfAborted();
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      signal?.addEventListener("abort", this.wake, { once: true });
    });
    signal?.removeEventListener("abort", this.wake);
    signal?.throwIfAborted();
  }

  private async flush(): Promise<void> {
    const { batch } = this;
    if (batch.files.length === 0) return;
    this.batch = { files: [], take: [], units: 0 };
    const free = this.threads.filter((thread) => thread.isReady).sort((a, b) => a.held - b.held)[0];
    if (free !== undefined && free.held < HELD) free.give(batch);
    else await this.doHere(batch);
  }

  private async doHere(batch: Batch): Promise<void> {
    const { chunks, times } = await prepareFiles(batch.files, { ...this.options, encoder: this.encoder });
    this.finish(batch, chunks, times);
  }

  private finish({ take }: Batch, chunks: readonly NewChunk[][], times: CutTimes): void {
    take.forEach((one, i) => one(chunks[i]!));
    for (const name of ["parse", "words", "embed"] as const) this.times[name] += times[name];
  }
}

interface Listener {
  done(batch: Batch, chunks: NewChunk[][], times: CutTimes): void;
  failed(batches: Batch[]): void;
}

class Thread {
  isReady = false;
  readonly started: Promise<void>;
  private hasStarted: () => void = () => undefined;
  private readonly batches = new Map<number, Batch>();
  private next = 0;

  constructor(
    private readonly worker: Worker,
    private readonly listener: Listener,
  ) {
    this.started = new Promise((resolve) => (this.hasStarted = resolve));
    worker.on("message", (reply: PrepareReply) => this.hear(reply));
    worker.on("error", () => this.fail());
    worker.on("exit", () => this.fail());
  }

  get held(): number {
    return this.batches.size;
  }

  give(batch: Batch): void {
    const id = this.next++;
    this.batches.set(id, batch);
    this.worker.postMessage({ id, files: batch.files } satisfies PrepareRequest);
  }

  async close(): Promise<void> {
    this.isReady = false;
    this.worker.removeAllListeners();
    this.worker.on("error", () => undefined);
    await this.worker.terminate();
  }

  private hear(reply: PrepareReply): void {
    if ("ready" in reply) {
      this.isReady = true;
      this.hasStarted();
      return;
    }
    const batch = this.batches.get(reply.id);
    this.batches.delete(reply.id);
    if (batch === undefined) return;
    if ("failed" in reply) this.listener.failed([batch]);
    else this.listener.done(batch, unpackChunks(reply.packed), reply.times);
  }

  /** It ended: what it held goes back. */
  private fail(): void {
    this.isReady = false;
    this.hasStarted();
    const lost = [...this.batches.values()];
    this.batches.clear();
    if (lost.length > 0) this.listener.failed(lost);
  }
}
