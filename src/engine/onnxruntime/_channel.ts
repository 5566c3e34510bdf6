import { setTimeout } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { UserError, internalError, messageOf, startWorker } from "../../base/index.js";
import { fromFailure, type CallName, type Calls, type Reply, type Request } from "./_protocol.js";

/** No run takes an hour; a worker that is silent for so long is not in one. */
const LONGEST_RUN = 3_600_000;

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The main thread's end of a session: calls go to the worker, answers come back. Every call is settled, also when the
 * worker dies or is closed in the middle. An idle worker does not keep the process up.
 */
export class Channel {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #ended: Error | undefined;
  #closing: Promise<void> | undefined;

  readonly #patience: number;

  /** @param patience milliseconds that closing waits for the worker's answer, the run in hand included */
  constructor(url: URL = new URL("./_worker.js", import.meta.url), patience = LONGEST_RUN) {
    this.#patience = patience;
    this.#worker = startWorker(url);
    this.#worker.on("message", (reply: Reply) => this.#settle(reply));
    this.#worker.on("error", (error) => this.#end(died(messageOf(error), error)));
    this.#worker.on("exit", (code) => this.#end(died(`exit code ${code}`)));
    this.#worker.unref();
  }

  call<K extends CallName>(
    call: K,
    args: Calls[K]["args"],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Calls[K]["result"]> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        // A fresh error each time: its stack then names this call.
        const { message } = this.#ended;
        const code = this.#ended instanceof UserError ? this.#ended.code : "engine.died";
        reject(new UserError(code, message, { cause: this.#ended }));
        return;
      }
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ id, call, args } as Request, transfer);
    });
  }

  /** Asks the worker to free what it holds, and ends it whether it answers or not. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const released = this.call("close", []).catch(() => undefined);
    this.#end(new UserError("engine.closed", "engine: expected an open session, got a closed one"), "close");
    // A run in hand cannot be interrupted: it ends first, then the release, then the thread. Ending the thread earlier
    // would gain nothing, as it waits for the native call too, and that call aborts the whole process when it returns
    // to a thread that is being ended.
    const late = new AbortController();
    const grace = setTimeout(this.#patience, undefined, { signal: late.signal }).catch(() => undefined);
    await Promise.race([released, grace]);
    late.abort();
    await this.#worker.terminate();
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (waiting === undefined) return;
    if ("failure" in reply) waiting.reject(fromFailure(reply.failure));
    else waiting.resolve(reply.result as never);
  }

  /** No more calls; those waiting are rejected, but for the last one where that is the closing itself. */
  #end(reason: Error, except?: "close"): void {
    this.#ended ??= reason;
    const closing = except === "close" ? this.#nextId - 1 : -1;
    for (const [id, waiting] of this.#waiting) {
      if (id === closing) continue;
      this.#waiting.delete(id);
      waiting.reject(this.#ended);
    }
  }
}

function died(why: string, cause?: unknown): Error {
  return new UserError("engine.died", `engine: expected its worker thread to go on, got its end (${why})`, {
    fix: "Out of memory is the usual reason: try a smaller batch",
    cause: cause ?? internalError("worker ended"),
  });
}
