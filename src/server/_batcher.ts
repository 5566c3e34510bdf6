import { ApiError } from "./_errors.js";

/** What turns token sequences into vectors, `[n * dim]`. */
export type EmbedSequences = (sequences: readonly Int32Array[]) => Promise<Float32Array>;

export interface BatcherOptions {
  /** Numbers in a vector. */
  readonly dim: number;
  /** Tokens in one batch; a longer sequence makes a batch of its own. */
  readonly batchTokens: number;
  /** How long a first request waits for company, milliseconds. */
  readonly waitMilliseconds: number;
  /** Tokens that may wait; what would come on top is refused. */
  readonly queueTokens: number;
  /** Told of each batch that has run. */
  readonly onBatch?: (batch: { readonly sequences: number; readonly tokens: number; readonly seconds: number }) => void;
}

interface Job {
  readonly sequences: readonly Int32Array[];
  readonly vectors: Float32Array;
  /** The next sequence that no batch has taken. */
  next: number;
  /** Sequences without a vector. */
  missing: number;
  /** Tokens that wait. */
  waiting: number;
  readonly resolve: (vectors: Float32Array) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One queue in front of a model: sequences of several requests run together, up to a budget of tokens. Requests take
 * turns, sequence by sequence, so that a long one does not hold up short ones.
 */
export class Batcher {
  private readonly jobs = new Set<Job>();
  private waiting = 0;
  private running: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Tokens per second of late; 0 before the first batch. */
  private rate = 0;

  constructor(
    private readonly embed: EmbedSequences,
    private readonly options: BatcherOptions,
  ) {}

  /** Tokens that wait for a batch. */
  get waitingTokens(): number {
    return this.waiting;
  }

  /** Requests that have not been answered. */
  get requests(): number {
    return this.jobs.size;
  }

  /**
   * Vectors of some sequences, `[n * dim]`.
   *
   * @param signal when aborted, what has not begun is taken out of the queue
   * @throws ApiError `queue_full` (429) where too much waits already; the signal's reason; the model's own error
   */
  submit(sequences: readonly Int32Array[], signal: AbortSignal): Promise<Float32Array> {
    const tokens = sequences.reduce((sum, { length }) => sum + length, 0);
    // An empty queue takes any one request: its size was checked before.
    if (this.waiting > 0 && this.waiting + tokens > this.options.queueTokens) {
      const seconds = this.rate === 0 ? 1 : Math.min(60, this.waiting / this.rate);
      return Promise.reject(
        new ApiError(429, "queue_full", `${this.waiting} tokens wait already; try again in a moment`, {
          retryAfterSeconds: seconds,
        }),
      );
    }
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const job: Job = {
        sequences,
        vectors: new Float32Array(sequences.length * this.options.dim),
        next: 0,
        missing: sequences.length,
        waiting: tokens,
        resolve: (vectors) => {
          signal.removeEventListener("abort", leave);
          resolve(vectors);
        },
        reject: (error) => {
          signal.removeEventListener("abort", leave);
          reject(error as Error);
        },
      };
      const leave = (): void => this.drop(job, signal.reason);
      signal.addEventListener("abort", leave, { once: true });
      if (sequences.length === 0) return job.resolve(job.vectors);
      this.jobs.add(job);
      this.waiting += tokens;
      this.wake();
    });
  }

  private drop(job: Job, reason: unknown): void {
    if (!this.jobs.delete(job)) return;
    this.waiting -= job.waiting;
    job.waiting = 0;
    job.next = job.sequences.length;
    job.reject(reason);
  }

  /** Starts now where a batch is full, else when the first request has waited long enough. */
  private wake(): void {
    if (this.running !== undefined || this.waiting === 0) return;
    if (this.waiting >= this.options.batchTokens || this.options.waitMilliseconds === 0) return this.start();
    this.timer ??= setTimeout(() => this.start(), this.options.waitMilliseconds);
  }

  private start(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.running !== undefined || this.waiting === 0) return;
    this.running = this.runBatch().finally(() => {
      this.running = undefined;
      this.start(); // What came meanwhile has waited already.
    });
  }

  private async runBatch(): Promise<void> {
    const taken = this.take();
    const sequences = taken.map(({ job, row }) => job.sequences[row]!);
    const tokens = sequences.reduce((sum, { length }) => sum + length, 0);
    const started = performance.now();
    try {
      const vectors = await this.embed(sequences);
      const { dim } = this.options;
      taken.forEach(({ job, row }, i) => {
        job.vectors.set(vectors.subarray(i * dim, (i + 1) * dim), row * dim);
        job.missing -= 1;
        if (job.missing === 0 && this.jobs.delete(job)) job.resolve(job.vectors);
      });
    } catch (error) {
      for (const job of new Set(taken.map((one) => one.job))) this.drop(job, error);
    }
    const seconds = (performance.now() - started) / 1000;
    const rate = tokens / Math.max(seconds, 1e-6);
    this.rate = this.rate === 0 ? rate : 0.8 * this.rate + 0.2 * rate;
    this.options.onBatch?.({ sequences: sequences.length, tokens, seconds });
  }

  /** Sequences for one batch, one of each request in turn. */
  private take(): { job: Job; row: number }[] {
    const taken: { job: Job; row: number }[] = [];
    let tokens = 0;
    for (;;) {
      let any = false;
      for (const job of this.jobs) {
        const length = job.sequences[job.next]?.length;
        if (length === undefined) continue;
        if (tokens > 0 && tokens + length > this.options.batchTokens) return this.taken(taken);
        taken.push({ job, row: job.next++ });
        job.waiting -= length;
        this.waiting -= length;
        tokens += length;
        any = true;
      }
      if (!any) return this.taken(taken);
    }
  }

  /** Who was served goes behind who was not. */
  private taken(taken: { job: Job; row: number }[]): { job: Job; row: number }[] {
    for (const job of new Set(taken.map((one) => one.job))) {
      this.jobs.delete(job);
      this.jobs.add(job);
    }
    return taken;
  }
}
