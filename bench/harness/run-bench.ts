import { UserError } from "../../src/base/index.js";
import { setupPeers } from "../peers.js";
import type { Bench, BenchContext, BenchFindings } from "./definition.js";
import { interleave } from "./interleave.js";
import { describeCommit, describeMachine, type Machine } from "./machine.js";
import { Peer } from "./peer.js";

/** A bench ends within this many seconds, not counting the making of the peers' environment. */
export const BOUND_SECONDS = 8 * 60;
/** Kept free at the end, so that the bound holds with starts and ends of processes. */
const RESERVE_SECONDS = 30;

/** What `results/bench/NAME.json` holds. */
export interface BenchResult extends BenchFindings {
  readonly name: string;
  /** ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly commit: string;
  /** Seconds that the bench took in all, without set-up. */
  readonly seconds: number;
}

/** Runs one bench within the bound and stops every peer it started. @throws UserError `bench.overtime` */
export async function runBench(
  name: string,
  bench: Bench,
  options: { quick: boolean; data?: string | undefined; log: (line: string) => void },
): Promise<BenchResult> {
  const date = new Date().toISOString();
  const peers: Peer[] = [];
  let start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  const secondsLeft = (): number => BOUND_SECONDS - RESERVE_SECONDS - seconds();
  const python = async (): Promise<string> => {
    const began = performance.now();
    const path = await setupPeers(options.log);
    start += performance.now() - began;
    return path;
  };
  const context: BenchContext = {
    quick: options.quick,
    data: options.data,
    secondsLeft,
    log: options.log,
    python,
    async peer(script, job) {
      const peer = await Peer.start(await python(), script, job);
      peers.push(peer);
      return peer;
    },
    interleave: (variants, { repetitions, warmUp = 1, seconds: limit } = {}) =>
      interleave(variants, {
        repetitions: options.quick ? Math.min(2, repetitions ?? 2) : (repetitions ?? 7),
        warmUp,
        seconds: Math.min(limit ?? Infinity, secondsLeft()),
      }),
  };
  let timer: NodeJS.Timeout | undefined;
  const overtime = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      if (seconds() > BOUND_SECONDS) reject(overtimeError(name));
    }, 500);
  });
  try {
    const findings = await Promise.race([bench.run(context), overtime]);
    const result = {
      name,
      date,
      machine: describeMachine(),
      commit: describeCommit(),
      seconds: seconds(),
      ...findings,
    };
    return roundNumbers(result) as BenchResult;
  } finally {
    clearInterval(timer);
    await Promise.all(peers.map((peer) => peer.close()));
  }
}

function overtimeError(name: string): UserError {
  return new UserError("bench.overtime", `${name}: expected an end within ${BOUND_SECONDS} s, got none`, {
    fix: "Run it on a quieter or faster machine, or with --quick",
  });
}

/** Five significant digits: more would only pretend. Integers stay. */
export function roundNumbers(value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? value : Number(value.toPrecision(5));
  if (Array.isArray(value)) return value.map(roundNumbers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, roundNumbers(inner)]));
}
