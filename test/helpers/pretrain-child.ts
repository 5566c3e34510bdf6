import { UserError } from "../../src/base/index.js";
import { latestCheckpoint, listCheckpoints, type TrainEvent } from "../../src/pretrain/index.js";
import { startSmallRun, type SmallRun } from "./pretrain-runs.js";

/**
 * A {@link SmallRun} in a process of its own, for tests that kill it, fill its disk or take it away. Reads the run from
 * its argument; writes each event as a line of JSON to standard output, at the end what happened. SIGINT aborts the run
 * as the command line does.
 */

/** The last line. */
export interface ChildEnd {
  readonly kind: "end";
  /** Code of the error that ended the run. */
  readonly error?: string;
  readonly message?: string;
  /** Steps of the checkpoints under their final names; `latest` is the newest that is intact. */
  readonly checkpoints: readonly number[];
  readonly latest?: number;
}

async function main(): Promise<void> {
  const run = JSON.parse(process.argv[2]!) as SmallRun;
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort());
  const print = (value: TrainEvent | ChildEnd): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  let failure: { error: string; message: string } | undefined;
  try {
    for await (const event of startSmallRun(run, controller.signal)) print(event);
  } catch (error) {
    const code = error instanceof UserError ? error.code : "none";
    failure = { error: code, message: error instanceof Error ? error.message : String(error) };
  }
  const checkpoints = (await listCheckpoints(run.out)).map(({ step }) => step);
  const latest = (await latestCheckpoint(run.out)).checkpoint?.meta.step;
  print({ kind: "end", checkpoints, ...failure, ...(latest === undefined ? {} : { latest }) });
}

await main();
