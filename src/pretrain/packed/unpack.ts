import { lockFolder, UserError, writeFileAtomic } from "../../base/index.js";
import { latestCheckpoint, removeLeftovers, writeCheckpoint } from "../checkpoint.js";
import { metricsPath, readMetrics, type MetricsLine } from "../metrics-file.js";
import { requireSameRun } from "../resume.js";
import { readPackManifest } from "./_manifest.js";

/** What was brought back. */
export interface Unpacked {
  /** The checkpoint in the run folder. */
  readonly path: string;
  readonly step: number;
  /** Updates of the whole run. */
  readonly steps: number;
  /** The run folder was that far before. */
  readonly before: number | undefined;
  /** Damaged checkpoints that were passed over. */
  readonly warnings: readonly string[];
}

/**
 * Brings a packed run back: its newest whole checkpoint and its metrics go into a run folder, from which
 * `pretrain stage1` or `stage2` goes on at the very next example. Safe to call again.
 *
 * @param folder the packed run, or the `--out` folder that it was trained into
 * @param out the run folder: new, empty, or of the same run and not further on
 * @throws UserError `pack.missing`, `pack.damaged`, `pack.newer`, `unpack.nothing`, `unpack.behind`,
 * `checkpoint.corrupt`, `checkpoint.newer`, `checkpoint.mismatch`, `output.locked`, `output.full`, `output.unwritable`
 */
export async function unpackRun(folder: string, out: string): Promise<Unpacked> {
  const manifest = await readPackManifest(folder);
  const { stage, rngKey, config, inputs } = manifest;
  const identity = { stage, rngKey, config, inputs };
  const { checkpoint, damaged } = await latestCheckpoint(folder);
  if (checkpoint === undefined) {
    throw new UserError(
      "unpack.nothing",
      `${folder}: expected a checkpoint, got a packed run that was not trained yet`,
      {
        fix: `Train it first: python ${folder}`,
      },
    );
  }
  requireSameRun(checkpoint, identity);
  const { step } = checkpoint.meta;
  const warnings = damaged.map(({ message }) => message);
  const release = await lockFolder(out);
  try {
    await removeLeftovers(out);
    const there = (await latestCheckpoint(out)).checkpoint;
    const before = there?.meta.step;
    if (there !== undefined) {
      requireSameRun(there, identity);
      if (there.meta.step === step) return { path: there.path, step, steps: manifest.steps, before, warnings };
      if (there.meta.step > step) {
        throw new UserError(
          "unpack.behind",
          `${out}: expected a run before update ${step}, got one at ${there.meta.step}`,
          {
            fix: "Nothing is to be done, or unpack into another folder",
          },
        );
      }
    }
    await writeFileAtomic(metricsPath(out), await joinedMetrics(folder, out, manifest.from.step, step));
    const { position, loss } = checkpoint.meta;
    const path = await writeCheckpoint(out, { ...identity, step, position, loss }, checkpoint.state);
    return { path, step, steps: manifest.steps, before, warnings };
  } finally {
    await release();
  }
}

/** Lines of the run folder up to where the packed part begins, then those of the packed part up to its checkpoint. */
async function joinedMetrics(folder: string, out: string, from: number, to: number): Promise<string> {
  const own = await readMetrics(out).catch((): MetricsLine[] => []);
  const packed = await readMetrics(folder);
  const lines = [...own.filter(({ step }) => step <= from), ...packed.filter(({ step }) => step > from && step <= to)];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}
