import { ApiError } from "./_errors.js";

/** Lets a few through at a time; of the others some wait, and the rest is refused. */
export class Gate {
  private inside = 0;
  private readonly queue: (() => void)[] = [];

  constructor(
    private readonly atOnce: number,
    private readonly waiting: number,
  ) {}

  get length(): number {
    return this.queue.length;
  }

  /** @throws ApiError `queue_full` (429); the signal's reason, also while waiting */
  async pass<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.inside >= this.atOnce) await this.wait(signal);
    else this.inside += 1;
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      const next = this.queue.shift();
      if (next === undefined) this.inside -= 1;
      else next(); // The place goes on to who waited longest.
    }
  }

  private wait(signal: AbortSignal): Promise<void> {
    if (this.queue.length >= this.waiting) {
      const message = `${this.queue.length} searches wait already; try again in a moment`;
      return Promise.reject(new ApiError(429, "queue_full", message, { retryAfterSeconds: 1 }));
    }
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        const place = this.queue.indexOf(enter);
        if (place === -1) return;
        this.queue.splice(place, 1);
        reject(signal.reason as Error);
      };
      this.queue.push(enter);
      signal.addEventListener("abort", leave, { once: true });
    });
  }
}
