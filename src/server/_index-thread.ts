import type { Worker } from "node:worker_threads";
import { internalError, messageOf, startWorker, type ProgressListener } from "../base/index.js";
import type { Answer, IndexStatus, OpenIndexOptions, SearchOptions } from "../search/index.js";
import { errorOf, type IndexCall, type IndexCalls, type IndexReply, type IndexRequest } from "./_index-calls.js";

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
  readonly release: () => void;
}

/**
 * A thread that holds indexes and their encoders, so that no search and no indexing holds up the thread that speaks HTTP.
 * One that dies is started again at the next question, with the same indexes.
 */
export class IndexThread {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private readonly opened = new Map<number, { args: IndexCalls["open"]["args"]; onProgress: ProgressListener }>();
  private next = 0;
  private closed = false;

  /** @param url the thread's module; another one in tests of threads that die */
  constructor(private readonly url = new URL("./_index-worker.js", import.meta.url)) {}

  /** @throws UserError as `openIndex` */
  async open(root: string, options: OpenIndexOptions, onProgress: ProgressListener): Promise<ThreadIndex> {
    const number = this.next++;
    const { hasFull } = await this.call(number, "open", [root, options]);
    this.opened.set(number, { args: [root, options], onProgress });
    return new ThreadIndex(this, number, hasFull);
  }

  /** @throws the index's errors; the signal's reason at once, while the thread stops when it can */
  call<K extends IndexCall>(
    index: number,
    call: K,
    args: IndexCalls[K]["args"],
    signal?: AbortSignal,
  ): Promise<IndexCalls[K]["result"]> {
    if (this.closed) return Promise.reject(internalError("the thread of the indexes is closed"));
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const worker = this.running();
    const id = this.next++;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.waiting.delete(id);
        worker.postMessage({ leave: id } satisfies IndexRequest);
        reject(signal!.reason as Error);
      };
      signal?.addEventListener("abort", leave, { once: true });
      const release = (): void => signal?.removeEventListener("abort", leave);
      this.waiting.set(id, { resolve, reject, release });
      worker.postMessage({ id, index, call, args } satisfies IndexRequest);
    });
  }

  /** Forgets an index. @internal */
  forget(index: number): void {
    this.opened.delete(index);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.worker?.terminate();
    this.fail(internalError("the thread of the indexes is closed"));
  }

  private running(): Worker {
    if (this.worker !== undefined) return this.worker;
    const worker = startWorker(this.url);
    this.worker = worker;
    worker.on("message", (reply: IndexReply) => this.take(reply));
    const ended = (why: string): void => {
      if (this.worker !== worker) return;
      this.worker = undefined;
      this.fail(internalError(`the thread of the indexes ended (${why})`));
    };
    worker.on("error", (error) => ended(messageOf(error)));
    worker.on("exit", (code) => ended(`exit code ${code}`));
    // Messages arrive in order: what is asked next finds its index there.
    for (const [index, { args }] of this.opened) {
      worker.postMessage({ id: this.next++, index, call: "open", args } satisfies IndexRequest);
    }
    return worker;
  }

  private take(reply: IndexReply): void {
    if ("event" in reply) {
      this.opened.get(reply.index)?.onProgress(reply.event);
      return;
    }
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    waiting?.release();
    if ("failure" in reply) waiting?.reject(errorOf(reply.failure));
    else waiting?.resolve(reply.result as never);
  }

  private fail(error: Error): void {
    for (const { reject, release } of this.waiting.values()) {
      release();
      reject(error);
    }
    this.waiting.clear();
  }
}

/** An index in another thread, asked as one in this thread is. Made by {@link IndexThread.open}. */
export class ThreadIndex {
  /** @internal */
  constructor(
    private readonly thread: IndexThread,
    private readonly number: number,
    /** Whether there is a full encoder to refine with. */
    readonly hasFull: boolean,
  ) {}

  /** Opens its encoders. */
  async warm(): Promise<void> {
    await this.thread.call(this.number, "warm", []);
  }

  search(query: string, { signal, ...options }: SearchOptions): Promise<Answer> {
    return this.thread.call(this.number, "search", [query, options], signal);
  }

  related(path: string, line: number, { signal, ...options }: SearchOptions): Promise<Answer> {
    return this.thread.call(this.number, "related", [path, line, options], signal);
  }

  /** Takes up what changed, and tells what the index holds then. */
  refresh(signal?: AbortSignal): Promise<IndexStatus> {
    return this.thread.call(this.number, "refresh", [], signal);
  }

  /** Computes the full tier's vectors that are missing. */
  async refine(signal?: AbortSignal): Promise<void> {
    await this.thread.call(this.number, "refine", [], signal);
  }

  status(): Promise<IndexStatus> {
    return this.thread.call(this.number, "status", []);
  }

  async close(): Promise<void> {
    await this.thread.call(this.number, "close", []);
    this.thread.forget(this.number);
  }
}
