import type { Locked } from "../lock.js";

/** What came of fetching one entry. `transient`: another attempt may help (the network, the registry's server). */
export type Outcome =
  | { readonly ok: true; readonly locked: Locked }
  | { readonly ok: false; readonly why: string; readonly transient: boolean };

export const failed = (why: string, transient = false): Outcome => ({ ok: false, why, transient });

/** What the lock says where the version that was asked for is gone. */
export function substitution(wanted: string, took: string, range: string): string {
  return `wanted ${wanted}, took ${took}, the newest in ${range}`;
}

/** The last line of a client's complaint that says something, in short. */
export function complaint(stderr: string, fallback: string): string {
  const lines = stderr
    .split("\n")
    .map((line) => line.replace(/^(npm (error|ERR!)|E:|W:|fatal:|error:)\s*/, "").trim())
    .filter((line) => line !== "" && !/complete log of this run|^code /i.test(line));
  return (lines[0] ?? fallback).slice(0, 300);
}
