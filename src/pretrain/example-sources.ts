import type { Worker } from "node:worker_threads";
import { internalError, startWorker, UserError } from "../base/index.js";
import type { Tokenizer } from "../tokenizer/index.js";
import type { ExamplesReply, ExamplesRequest, ExamplesWorkerData } from "./_examples-protocol.js";
import type { DocumentOrder } from "./documents.js";
import { ExampleMaker, type ExampleOptions, type ExampleTask, type OpenedExample } from "./examples.js";
import type { Objective } from "./packing.js";

/** A document's place: `index` in the order of `epoch`. */
export interface Place {
  readonly epoch: number;
  readonly index: number;
}

/** Masked documents by their place. */
export interface ExampleSource {
  /**
   * The document after the last one that was asked for so, or a first one.
   *
   * @param wantedOf what later documents are to be masked by, as far as is known now
   */
  next(place: Place, wanted: Objective, wantedOf: (place: Place) => Objective): Promise<OpenedExample | undefined>;
  /** A document anywhere. */
  one(place: Place, wanted: Objective): Promise<OpenedExample | undefined>;
  close(): Promise<void>;
}

/** Makes a document when it is asked for, in this thread. */
export class InlineExamples implements ExampleSource {
  private readonly maker: ExampleMaker;

  constructor(
    private readonly order: DocumentOrder,
    options: ExampleOptions,
  ) {
    this.maker = new ExampleMaker(options);
  }

  next(place: Place, wanted: Objective): Promise<OpenedExample | undefined> {
    return this.one(place, wanted);
  }

  async one({ epoch, index }: Place, wanted: Objective): Promise<OpenedExample | undefined> {
    const { lang, text } = await this.order.documentAt(epoch, index);
    return this.maker.make({ epoch, number: this.order.numberAt(epoch, index), wanted, lang, text });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

interface Wanted {
  readonly place: Place;
  readonly wanted: Objective;
}

/** @see ThreadedExamples */
export interface ThreadOptions extends Omit<ExampleOptions, "tokenizer" | "identifiers"> {
  readonly tokenizer: Tokenizer;
  /** At least 1. */
  readonly threads: number;
  /** Documents are asked for ahead until they hold about so many tokens. */
  readonly aheadTokens: number;
  /** The threads' module; another one in tests of threads that fail. */
  readonly worker?: URL;
}

/** Documents that a thread is asked for at once. */
const BLOCK = 16;
/** At most so many documents are asked for ahead, however short they are. */
const MOST_AHEAD = 4096;

/**
 * Has documents made by worker threads, ahead of their turn. A document goes to the thread that its number says, so that
 * threads keep tokens between epochs. How many threads there are changes nothing of what they make.
 */
export class ThreadedExamples implements ExampleSource {
  private readonly threads: (Thread | undefined)[];
  private readonly pending = new Map<string, Promise<OpenedExample | undefined>>();
  /** The first place that was not asked for yet. */
  private frontier: Place = { epoch: 0, index: 0 };
  private meanTokens = 500;

  constructor(
    private readonly order: DocumentOrder,
    private readonly options: ThreadOptions,
  ) {
    this.threads = new Array<undefined>(options.threads).fill(undefined);
  }

  async next(
    place: Place,
    wanted: Objective,
    wantedOf: (place: Place) => Objective,
  ): Promise<OpenedExample | undefined> {
    const key = keyOf(place, wanted);
    if (!this.pending.has(key)) {
      this.pending.clear(); // Another place, or another objective than was foreseen.
      this.foresee([{ place, wanted }]);
    }
    const example = this.pending.get(key)!;
    this.pending.delete(key);
    const enough = Math.min(MOST_AHEAD, Math.ceil(this.options.aheadTokens / this.meanTokens));
    while (this.pending.size < enough) {
      const places: Wanted[] = [];
      let next = this.frontier;
      for (let i = 0; i < BLOCK * this.options.threads; i++) {
        places.push({ place: next, wanted: wantedOf(next) });
        next = this.after(next);
      }
      this.foresee(places);
    }
    const made = await example;
    this.meanTokens += 0.02 * ((made?.input.length ?? 1) - this.meanTokens);
    return made;
  }

  one(place: Place, wanted: Objective): Promise<OpenedExample | undefined> {
    return this.request([{ place, wanted }]).get(keyOf(place, wanted))!;
  }

  async close(): Promise<void> {
    for (const thread of this.threads) await thread?.close();
  }

  private after({ epoch, index }: Place): Place {
    return index + 1 === this.order.count ? { epoch: epoch + 1, index: 0 } : { epoch, index: index + 1 };
  }

  private foresee(places: readonly Wanted[]): void {
    for (const [key, example] of this.request(places)) this.pending.set(key, example);
    this.frontier = this.after(places.at(-1)!.place);
  }

  private request(places: readonly Wanted[]): Map<string, Promise<OpenedExample | undefined>> {
    const requested = new Map<string, Promise<OpenedExample | undefined>>();
    const shares = new Map<number, { keys: string[]; tasks: Promise<ExampleTask>[] }>();
    for (const { place, wanted } of places) {
      const { epoch, index } = place;
      const number = this.order.numberAt(epoch, index);
      const thread = number % this.options.threads;
      const share = shares.get(thread) ?? { keys: [], tasks: [] };
      shares.set(thread, share);
      share.keys.push(keyOf(place, wanted));
      const document = this.order.documentAt(epoch, index);
      share.tasks.push(document.then(({ lang, text }) => ({ epoch, number, wanted, lang, text })));
    }
    for (const [thread, { keys, tasks }] of shares) {
      const made = Promise.all(tasks).then((ready) => this.thread(thread).ask(ready));
      keys.forEach((key, i) => {
        const example = made.then((examples) => examples[i]);
        example.catch(() => undefined); // Reported where it is awaited, if it ever is.
        requested.set(key, example);
      });
    }
    return requested;
  }

  private thread(index: number): Thread {
    const { tokenizer, masking, share, rng, cacheTokens, threads, worker } = this.options;
    return (this.threads[index] ??= new Thread(worker ?? new URL("./_examples-worker.js", import.meta.url), {
      tokenizer: { source: tokenizer.source, special: tokenizer.special },
      ...{ masking, share, rng: rng.state },
      cacheTokens: Math.ceil((cacheTokens ?? 2 ** 24) / threads),
    }));
  }
}

function keyOf({ epoch, index }: Place, wanted: Objective): string {
  return `${epoch} ${index} ${wanted}`;
}

interface Waiting {
  resolve(examples: readonly (OpenedExample | undefined)[]): void;
  reject(error: Error): void;
}

class Thread {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private asked = 0;
  private failure: Error | undefined;

  constructor(module: URL, workerData: ExamplesWorkerData) {
    this.worker = startWorker(module, { workerData });
    this.worker.on("message", (reply: ExamplesReply) => this.settle(reply));
    this.worker.on("error", (error) => this.fail(internalError("a thread that prepares batches failed", error)));
    this.worker.on("exit", () => this.fail(internalError("a thread that prepares batches ended")));
  }

  ask(tasks: readonly ExampleTask[]): Promise<readonly (OpenedExample | undefined)[]> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const id = this.asked++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, tasks } satisfies ExamplesRequest);
    });
  }

  async close(): Promise<void> {
    this.fail(internalError("the run is over")); // Nobody waits any more.
    await this.worker.terminate();
  }

  private settle(reply: ExamplesReply): void {
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if ("examples" in reply) waiting?.resolve(reply.examples);
    else {
      const { code, message, fix } = reply.error;
      waiting?.reject(
        code === undefined ? internalError(message) : new UserError(code, message, fix === undefined ? {} : { fix }),
      );
    }
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.values()) reject(this.failure);
    this.waiting.clear();
  }
}
