import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import {
  errnoOf,
  logWrite,
  messageOf,
  readSafetensors,
  sha256File,
  syncFolder,
  UserError,
  writeError,
  writeFileAtomic,
  writeSafetensors,
  type Tensor,
} from "../base/index.js";

const META = "checkpoint.json";
const STATE = "state.safetensors";
/** The format of a checkpoint folder. */
const FORMAT = 1;
const NAME = /^step-(\d{8,})$/;

const metaSchema = z.strictObject({
  format: z.literal(FORMAT),
  stage: z.string(),
  /** Updates done. */
  step: z.int().min(0),
  /** Key of the run's random streams; every draw is a function of it and of step and position. */
  rngKey: z.tuple([z.int(), z.int()]),
  /** Where the next batch begins. */
  position: z.record(z.string(), z.union([z.number(), z.string(), z.null()])),
  /** Resolved configuration: `{model, training}`. */
  config: z.record(z.string(), z.unknown()),
  /** What the run was fed: `{tokenizer, corpus, initial}`. */
  inputs: z.record(z.string(), z.string()),
  /** Mean loss over the steps since the checkpoint before. */
  loss: z.number().nullable(),
  stateSha256: z.string(),
});

/** What a checkpoint says of itself, without the tensors. */
export type CheckpointMeta = Readonly<z.output<typeof metaSchema>>;

/** A complete, verified checkpoint. */
export interface Checkpoint {
  readonly path: string;
  readonly meta: CheckpointMeta;
  /** Parameters under their names, `adam.m/NAME`, `adam.v/NAME`, the step counter. */
  readonly state: Readonly<Record<string, Tensor>>;
}

/** Folder of the checkpoints of a run folder. */
export function checkpointsFolder(run: string): string {
  return join(run, "checkpoints");
}

/**
 * Writes `step-00000010/` with `state.safetensors` and `checkpoint.json` under a temporary name and renames it, so that a
 * folder under its final name is complete. A failure leaves what was there before.
 *
 * @returns the folder
 * @throws UserError `output.full`, `output.unwritable`; `train.not-finite` where the state holds NaN or infinity
 */
export async function writeCheckpoint(
  run: string,
  meta: Omit<CheckpointMeta, "format" | "stateSha256">,
  state: Readonly<Record<string, Tensor>>,
): Promise<string> {
  refuseNonFinite(meta.step, state);
  const folder = checkpointsFolder(run);
  const path = join(folder, `step-${String(meta.step).padStart(8, "0")}`);
  const temporary = `${path}.partial`;
  try {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    const stateSha256 = await writeSafetensors(join(temporary, STATE), state);
    const whole: CheckpointMeta = { format: FORMAT, ...meta, stateSha256 };
    await writeFileAtomic(join(temporary, META), `${JSON.stringify(whole, null, 2)}\n`);
    await rm(path, { recursive: true, force: true }); // Only ever a damaged one: complete ones are resumed from.
    logWrite("rename", path, 0);
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw writeError(path, error);
  }
  return path;
}

function refuseNonFinite(step: number, state: Readonly<Record<string, Tensor>>): void {
  for (const [name, { dtype, data }] of Object.entries(state)) {
    if (dtype !== "float32" || (data as Float32Array).every(Number.isFinite)) continue;
    throw new UserError("train.not-finite", `step ${step}: expected finite state, got NaN or infinity in ${name}`, {
      fix: "Lower the learning rate and run again: the checkpoint before is kept",
    });
  }
}

/** Paths of a run's checkpoints under their final names, oldest first. Complete unless a disk was damaged. */
export async function listCheckpoints(run: string): Promise<{ path: string; step: number }[]> {
  const folder = checkpointsFolder(run);
  const names = await readdir(folder).catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return [];
    throw new UserError("checkpoint.unreadable", `${folder}: expected a readable folder, got ${messageOf(error)}`);
  });
  return names
    .flatMap((name) => {
      const step = NAME.exec(name)?.[1];
      return step === undefined ? [] : [{ path: join(folder, name), step: Number(step) }];
    })
    .sort((a, b) => a.step - b.step);
}

/** What a checkpoint says of itself. @throws UserError `checkpoint.missing`, `checkpoint.corrupt` */
export async function readCheckpointMeta(path: string): Promise<CheckpointMeta> {
  let text: string;
  try {
    text = await readFile(join(path, META), "utf8");
  } catch (error) {
    throw new UserError("checkpoint.missing", `${path}: expected a checkpoint folder, got ${messageOf(error)}`, {
      fix: "Name a folder such as RUN/checkpoints/step-00000010",
      cause: error,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw corrupt(path, `${META} is not JSON`, error);
  }
  const format = typeof value === "object" && value !== null && "format" in value ? value.format : undefined;
  if (typeof format === "number" && format > FORMAT) {
    throw new UserError("checkpoint.newer", `${path}: expected format ${FORMAT}, got ${format} of a newer version`, {
      fix: "Update Lodestone; the checkpoint is untouched",
    });
  }
  const parsed = metaSchema.safeParse(value);
  if (!parsed.success) throw corrupt(path, `${META} is not a checkpoint's (${messageOf(parsed.error)})`);
  return parsed.data;
}

/**
 * Reads a checkpoint and verifies its checksum.
 *
 * @throws UserError `checkpoint.missing`, `checkpoint.corrupt`
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const meta = await readCheckpointMeta(path);
  const file = join(path, STATE);
  const actual = await sha256File(file).catch((error: unknown) => {
    throw corrupt(path, messageOf(error), error);
  });
  if (actual !== meta.stateSha256) {
    throw corrupt(path, `${STATE} has SHA-256 ${actual.slice(0, 12)}..., recorded ${meta.stateSha256.slice(0, 12)}...`);
  }
  const { tensors } = await readSafetensors(file);
  return { path, meta, state: tensors };
}

function corrupt(path: string, what: string, cause?: unknown): UserError {
  return new UserError("checkpoint.corrupt", `${path}: expected an intact checkpoint, but ${what}`, {
    fix: "Resume from another checkpoint of the run, or start again in a new folder",
    cause,
  });
}

/** @see latestCheckpoint */
export interface LatestCheckpoint {
  /** Undefined where the run has none. */
  readonly checkpoint: Checkpoint | undefined;
  /** Damaged ones that were passed over, newest first. */
  readonly damaged: readonly UserError[];
}

/**
 * The newest intact checkpoint of a run.
 *
 * @throws UserError `checkpoint.corrupt` where there are checkpoints and none is intact, `checkpoint.newer`
 */
export async function latestCheckpoint(run: string): Promise<LatestCheckpoint> {
  const damaged: UserError[] = [];
  for (const { path } of (await listCheckpoints(run)).reverse()) {
    try {
      return { checkpoint: await readCheckpoint(path), damaged };
    } catch (error) {
      // One of a newer version is whole: going on from an older one would throw its updates away.
      if (!(error instanceof UserError) || error.code === "checkpoint.newer") throw error;
      damaged.push(error);
    }
  }
  if (damaged.length > 0) throw damaged[0]!;
  return { checkpoint: undefined, damaged };
}

/** What a run's newest checkpoint says of itself, its tensors unread; undefined where there is none. */
export async function latestMeta(run: string): Promise<CheckpointMeta | undefined> {
  const newest = (await listCheckpoints(run)).at(-1);
  return newest === undefined ? undefined : readCheckpointMeta(newest.path);
}

/** @see pruneCheckpoints */
export interface Retention {
  /** The newest ones that stay. */
  readonly last: number;
  /** Whether the one with the lowest loss stays as well. */
  readonly best: boolean;
}

/** Removes what a killed run left half written or half removed. Only for the holder of the folder's lock. */
export async function removeLeftovers(run: string): Promise<void> {
  const folder = checkpointsFolder(run);
  for (const name of await readdir(folder).catch(() => [])) {
    if (name.endsWith(".partial") || name.endsWith(".old"))
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Removes old checkpoints. A removal begins with a rename, so that half a checkpoint never bears a final name. */
export async function pruneCheckpoints(run: string, keep: Retention): Promise<void> {
  const all = await listCheckpoints(run);
  const stay = new Set(all.slice(-keep.last).map(({ path }) => path));
  if (keep.best) {
    let lowest = Infinity;
    let best: string | undefined;
    for (const { path } of all) {
      const loss = await readCheckpointMeta(path).then(
        (meta) => meta.loss ?? Infinity,
        () => Infinity, // A damaged one is not the best.
      );
      if (loss < lowest) [lowest, best] = [loss, path];
    }
    if (best !== undefined) stay.add(best);
  }
  for (const { path } of all) {
    if (stay.has(path)) continue;
    try {
      logWrite("rename", `${path}.old`, 0);
      await rename(path, `${path}.old`);
      logWrite("remove", path, 0);
      await rm(`${path}.old`, { recursive: true, force: true });
    } catch (error) {
      throw writeError(path, error);
    }
  }
}
