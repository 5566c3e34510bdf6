import type { Interleaved, InterleaveOptions, Variant } from "./interleave.js";
import type { Peer } from "./peer.js";

/** What `bench/NAME.ts` exports as `bench`. */
export interface Bench {
  /** One line for `npm run bench -- list`. */
  readonly about: string;
  /** Measures and returns numbers; the harness adds name, date, machine and commit. */
  run(context: BenchContext): Promise<BenchFindings>;
}

/** Types a bench where it is written: `export const bench = defineBench({ about, run })`. */
export function defineBench(bench: Bench): Bench {
  return bench;
}

/** What the harness lends to a running bench. */
export interface BenchContext {
  /** True under `--quick`: fewer and smaller, only to see that it works. */
  readonly quick: boolean;
  /** The folder behind `--data`, for benches that measure on the user's files. */
  readonly data: string | undefined;
  /** Seconds left of the bench's bound. The clock stands still while the peers' environment is made. */
  secondsLeft(): number;
  /** A line of progress, to standard error. */
  log(line: string): void;
  /** The peers' Python; makes its environment first where it is missing. */
  python(): Promise<string>;
  /** Starts `bench/peers/SCRIPT` and sends it its job (see {@link Peer}); the harness stops it at the end. */
  peer(script: string, job: unknown): Promise<Peer>;
  /** Runs variants in turns (A B C A B C ...) and sums up; shortened where time runs out, and the result says so. */
  interleave(variants: readonly Variant[], options?: InterleaveOptions): Promise<Interleaved>;
}

/** Plain data: what a JSON file holds. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** The numbers a bench found. */
export interface BenchFindings {
  /** By variant: seconds (`{median, min, max, ...}`) or any other numbers. */
  readonly values: Readonly<Record<string, Json>>;
  /** Our speed divided by the peer's, keyed by the peer: above 1 we are faster. */
  readonly ratios: Readonly<Record<string, number>>;
  /** What was run: sizes, threads, the peers' chosen paths. */
  readonly settings: Readonly<Record<string, Json>>;
  /** Of libraries on both sides. */
  readonly versions: Readonly<Record<string, string>>;
}
