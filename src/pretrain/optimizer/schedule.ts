import { UserError } from "../../base/index.js";

/** Learning rate of update `step`, counted from 0. */
export type Schedule = (step: number) => number;

/** @see warmupLinear */
export interface Warmup {
  /** Highest learning rate. */
  readonly peak: number;
  /** Updates over which the rate rises. 0 starts at the peak. */
  readonly warmup: number;
  /** Updates in all. */
  readonly total: number;
  /** Share of the peak that is left at the end, in [0, 1]. Default 0. */
  readonly floor?: number;
}

/**
 * Warm-up and linear decay, the paper's schedule for both stages. The rate rises to `peak` over `warmup` updates, then
 * falls linearly; update `total` (the first that is not run) would have `floor * peak`. No update has rate 0, the
 * first included. Past the end the rate stays at the floor.
 *
 * @example
 * const rate = warmupLinear({ peak: 1, warmup: 2, total: 6 });
 * [0, 1, 2, 3, 4, 5].map(rate); // 0.5, 1, 1, 0.75, 0.5, 0.25
 * @throws UserError `schedule.invalid`
 */
export function warmupLinear(options: Warmup): Schedule {
  return warmupThen(options, (left) => left);
}

/**
 * Warm-up and half a cosine (Loshchilov and Hutter 2017, "SGDR", without restarts) from `peak` to `floor * peak`, which
 * update `total` would have.
 *
 * @throws UserError `schedule.invalid`
 */
export function warmupCosine(options: Warmup): Schedule {
  return warmupThen(options, (left) => (1 - Math.cos(Math.PI * left)) / 2);
}

/** Warm-up, then the peak to the end. @throws UserError `schedule.invalid` */
export function warmupConstant(options: Warmup): Schedule {
  return warmupThen(options, () => 1);
}

/** Schedules by their names in a configuration. */
export const SCHEDULES = { linear: warmupLinear, cosine: warmupCosine, constant: warmupConstant } as const;

/** @param shape of the share of the steps after the warm-up that is left: 1 is the peak, 0 the floor */
function warmupThen(options: Warmup, shape: (left: number) => number): Schedule {
  const { peak, warmup, total, floor = 0 } = options;
  const invalid = (what: string): UserError => new UserError("schedule.invalid", `schedule: expected ${what}`);
  if (!(peak > 0 && Number.isFinite(peak))) throw invalid(`a positive peak, got ${peak}`);
  if (!Number.isInteger(total) || total < 1) throw invalid(`a positive whole number of steps, got ${total}`);
  if (!Number.isInteger(warmup) || warmup < 0 || warmup > total) throw invalid(`warmup in 0..${total}, got ${warmup}`);
  if (!(floor >= 0 && floor <= 1)) throw invalid(`a floor in 0..1, got ${floor}`);
  return (step) => {
    if (step < warmup) return (peak * (step + 1)) / warmup;
    const left = Math.max(0, (total - step) / Math.max(1, total - warmup));
    return peak * (floor + (1 - floor) * shape(left));
  };
}
