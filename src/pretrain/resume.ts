import { rename, rm } from "node:fs/promises";
import { UserError, writeError } from "../base/index.js";
import { latestCheckpoint, listCheckpoints, removeLeftovers, type Checkpoint } from "./checkpoint.js";
import type { TrainEvent } from "./types.js";

/** What makes a run the same run. Plain JSON data. */
export interface RunIdentity {
  readonly stage: string;
  readonly rngKey: readonly [number, number];
  /** `{model, training}`; `training.checkpoints`, `training.evaluation` and `training.chunk` may change between calls. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Hashes: `{tokenizer, corpus, initial}`. */
  readonly inputs: Readonly<Record<string, string>>;
}

/**
 * The checkpoint to go on from, undefined in a new run folder. Damaged ones are passed over and set aside under the name
 * `step-N.damaged`, with a warning each.
 *
 * @throws UserError `checkpoint.corrupt` where none is intact, `checkpoint.mismatch` where it is another run's
 */
export async function* resumePoint(
  run: string,
  identity: RunIdentity,
): AsyncGenerator<TrainEvent, Checkpoint | undefined> {
  await removeLeftovers(run);
  const { checkpoint, damaged } = await latestCheckpoint(run);
  if (checkpoint === undefined) return undefined;
  requireSameRun(checkpoint, identity);
  for (const error of damaged) {
    yield {
      kind: "warning",
      code: error.code,
      message: `${error.message}; going on from step ${checkpoint.meta.step} instead`,
    };
  }
  for (const { path, step } of await listCheckpoints(run)) {
    if (step <= checkpoint.meta.step) continue;
    try {
      await rm(`${path}.damaged`, { recursive: true, force: true }); // Of an earlier accident at the same step.
      await rename(path, `${path}.damaged`);
    } catch (error) {
      throw writeError(path, error);
    }
  }
  return checkpoint;
}

/** Refuses a checkpoint of another run. @throws UserError `checkpoint.mismatch` */
export function requireSameRun({ path, meta }: Checkpoint, identity: RunIdentity): void {
  const complain = (what: string, recorded: unknown, got: unknown): UserError =>
    new UserError(
      "checkpoint.mismatch",
      `${path}: expected ${what} ${show(recorded)} as in the checkpoint, got ${show(got)}`,
      { fix: "Use what the run began with, or another output folder" },
    );
  if (meta.stage !== identity.stage) throw complain("stage", meta.stage, identity.stage);
  for (const name of Object.keys({ ...identity.inputs, ...meta.inputs })) {
    if (meta.inputs[name] !== identity.inputs[name]) throw complain(name, meta.inputs[name], identity.inputs[name]);
  }
  const difference = firstDifference(withoutCadence(meta.config), withoutCadence(identity.config), "");
  if (difference !== undefined) throw complain(difference.at, difference.left, difference.right);
  if (meta.rngKey.join() !== identity.rngKey.join()) throw complain("the random key", meta.rngKey, identity.rngKey);
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : typeof value === "string" ? value : JSON.stringify(value);
}

function withoutCadence(config: Readonly<Record<string, unknown>>): unknown {
  const plain = JSON.parse(JSON.stringify(config)) as Record<string, unknown>;
  const training = plain["training"];
  if (typeof training === "object" && training !== null) {
    delete (training as Record<string, unknown>)["checkpoints"];
    delete (training as Record<string, unknown>)["evaluation"];
    delete (training as Record<string, unknown>)["chunk"]; // Rounding apart, any number gives the same updates.
  }
  return plain;
}

interface Difference {
  readonly at: string;
  readonly left: unknown;
  readonly right: unknown;
}

/** The first place where two pieces of plain data differ, as a dotted path. */
export function firstDifference(left: unknown, right: unknown, at: string): Difference | undefined {
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) {
    return Object.is(left, right) ? undefined : { at, left, right };
  }
  const a = left as Record<string, unknown>;
  const b = right as Record<string, unknown>;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = firstDifference(a[key], b[key], at === "" ? key : `${at}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
