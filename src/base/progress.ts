/** Progress as data. Rooms report; the edge draws. */
export interface ProgressEvent {
  readonly kind: "progress";
  /** What is going on: `corpus`, `tokenizer`, `stage1`, ... */
  readonly stage: string;
  readonly done: number;
  /** Undefined while unknown. */
  readonly total: number | undefined;
  /** Of `done` and `total`: `files`, `steps`, `texts`. */
  readonly unit: string;
  readonly elapsedSeconds: number;
  /** Estimated seconds to the end; undefined until it can be told. */
  readonly etaSeconds: number | undefined;
  /** A few words on the present state, e.g. `loss 4.21`. */
  readonly note?: string;
}

export type ProgressListener = (event: ProgressEvent) => void;

/** Estimates the time left from the recent rate (exponential average), so that a slow start does not mislead. */
export class ProgressMeter {
  private readonly startedAt = performance.now();
  private lastAt = this.startedAt;
  private lastDone = 0;
  private secondsPerUnit: number | undefined;

  constructor(
    private readonly stage: string,
    private readonly unit: string,
    private total: number | undefined,
    private readonly listener: ProgressListener | undefined,
    /** Work already done by an earlier, interrupted run. */
    startDone = 0,
  ) {
    this.lastDone = startDone;
  }

  /** Reports that `done` units are complete in all; at most about ten events a second, and always the last one. */
  update(done: number, note?: string, total = this.total): void {
    this.total = total;
    if (this.listener === undefined) return;
    const now = performance.now();
    const finished = total !== undefined && done >= total;
    if (now - this.lastAt < 100 && !finished) return;
    const gained = done - this.lastDone;
    if (gained > 0) {
      const recent = (now - this.lastAt) / 1000 / gained;
      this.secondsPerUnit = this.secondsPerUnit === undefined ? recent : 0.9 * this.secondsPerUnit + 0.1 * recent;
      this.lastAt = now;
      this.lastDone = done;
    }
    const left =
      total === undefined || this.secondsPerUnit === undefined ? undefined : (total - done) * this.secondsPerUnit;
    this.listener({
      kind: "progress",
      stage: this.stage,
      done,
      total,
      unit: this.unit,
      elapsedSeconds: (now - this.startedAt) / 1000,
      etaSeconds: left,
      ...(note === undefined ? {} : { note }),
    });
  }
}
