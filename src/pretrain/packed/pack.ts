import { cp, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import {
  errnoOf,
  ProgressMeter,
  sha256File,
  syncFolder,
  UserError,
  writeError,
  writeFileAtomic,
  writeSafetensors,
  type ProgressEvent,
  type Tensor,
} from "../../base/index.js";
import { TORCH_PACKAGE, torchProgram } from "./_torch.js";
import type { Checkpoint } from "../checkpoint.js";
import { requireSameRun, type RunIdentity } from "../resume.js";
import { chunkOf, defaultDataWorkers, identityOf, rngOf, scheduleOf, stateAtStart, type StagePlan } from "../run.js";
import type { Step } from "../step.js";
import type { BatchSource, Position, TrainEvent } from "../types.js";
import { writeBatches, type BatchFile } from "./_batch-file.js";
import { CHECKSUMS, PACK_FORMAT, RUN_FILE, type PackManifest } from "./_manifest.js";
import { Stage1Packer, type Packer } from "./_stage1-packer.js";
import { Stage2Packer } from "./_stage2-packer.js";
import { MAIN_PY, README } from "./_texts.js";

/** @see packStage */
export interface PackOptions {
  /** The folder to write; it must not exist, or be empty. */
  readonly out: string;
  /** Goes on from this checkpoint of the run instead of from its beginning. */
  readonly from?: Checkpoint;
  /** At most so many updates; all that are left if not given. */
  readonly updates?: number;
  /** Ends with the update that reaches so many tokens, padding not counted. */
  readonly tokens?: number;
}

/** The end of packing. */
export interface PackedEvent {
  readonly kind: "packed";
  readonly path: string;
  readonly from: number;
  readonly to: number;
  readonly steps: number;
  readonly tokens: number;
  /** Size of the batches. */
  readonly batchBytes: number;
}

/**
 * Writes the rest of a run, or a part of it, as one folder that Python and torch alone can train: programs, state,
 * batches in the run's own order, and the code that runs them. It appears under its name when it is whole.
 *
 * @throws UserError `output.exists`, `checkpoint.mismatch`, `pack.nothing`, `output.full`, `output.unwritable` and those of
 * the data; the signal's reason where it is aborted
 */
export async function* packStage<P extends Position>(
  plan: StagePlan<P>,
  options: PackOptions,
): AsyncGenerator<TrainEvent | PackedEvent> {
  const { out, from: checkpoint } = options;
  await requireRoom(out);
  const identity = identityFor(plan, checkpoint);
  const step = checkpoint?.meta.step ?? 0;
  const { steps } = plan.training;
  if (step >= steps) {
    throw new UserError("pack.nothing", `${checkpoint?.path ?? out}: expected updates to do, got all ${steps} done`, {
      fix: "Raise training.steps, or export the run as it is",
    });
  }
  const source = yield* plan.source(rngOf(plan), defaultDataWorkers());
  const folder = `${out}.partial`;
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(join(folder, "programs"), { recursive: true });
    const position = checkpoint === undefined ? source.start : (checkpoint.meta.position as P);
    const batches = yield* packBatches(plan, options, source, join(folder, "batches.bin"), { step, position });
    const state = await writeStart(join(folder, "state.safetensors"), checkpoint?.state ?? stateAtStart(plan));
    const chunk = chunkOf(plan);
    const manifest: PackManifest = {
      format: PACK_FORMAT,
      stage: plan.stage,
      from: { step, position },
      to: step + batches.updates,
      steps,
      tokens: batches.tokens,
      rngKey: [...identity.rngKey],
      config: JSON.parse(JSON.stringify(identity.config)) as Record<string, unknown>,
      inputs: { ...identity.inputs },
      checkpoints: { ...plan.training.checkpoints },
      shape: shapeOf(plan),
      chunk,
      plans: {
        whole: await writePrograms(folder, plan.stepOf(null)),
        chunked: await writePrograms(folder, plan.stepOf(chunk ?? plan.training.batch)),
      },
      state: { file: "state.safetensors", ...state },
      batches: "batches.bin",
    };
    await cp(TORCH_PACKAGE, join(folder, "lodestone_torch"), {
      recursive: true,
      filter: (path) => !/(^|[\\/])(__pycache__|tests|test_\w+\.py|.*\.pyc)$/.test(path),
    });
    await writeFileAtomic(join(folder, "__main__.py"), MAIN_PY);
    await writeFileAtomic(join(folder, "README.txt"), README);
    await writeFileAtomic(join(folder, RUN_FILE), `${JSON.stringify(manifest, null, 1)}\n`);
    await writeFileAtomic(join(folder, CHECKSUMS), await checksums(folder));
    await rm(out, { recursive: true, force: true }); // Empty, if it is there.
    await rename(folder, out);
    await syncFolder(dirname(out));
    const { tokens, bytes } = batches;
    yield { kind: "packed", path: out, from: step, to: manifest.to, steps, tokens, batchBytes: bytes };
  } catch (error) {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    throw writeError(out, error);
  } finally {
    await source.close?.();
  }
}

async function requireRoom(out: string): Promise<void> {
  const content = await readdir(out).catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return [];
    throw writeError(out, error);
  });
  if (content.length === 0) return;
  throw new UserError("output.exists", `${out}: expected a new or empty folder, got one with ${content[0]}`, {
    fix: "Choose another folder, or remove this one",
  });
}

/** As the plan says, but for the first weights, which a checkpoint knows and this call was not given. */
function identityFor<P extends Position>(plan: StagePlan<P>, checkpoint: Checkpoint | undefined): RunIdentity {
  const own = identityOf(plan);
  if (checkpoint === undefined) return own;
  const identity = { ...own, inputs: { ...own.inputs, initial: checkpoint.meta.inputs["initial"] ?? "seed" } };
  requireSameRun(checkpoint, identity);
  return identity;
}

async function* packBatches<P extends Position>(
  plan: StagePlan<P>,
  { updates = Infinity, tokens = Infinity }: PackOptions,
  source: BatchSource<P>,
  path: string,
  from: { readonly step: number; readonly position: P },
): AsyncGenerator<ProgressEvent, BatchFile> {
  const { steps } = plan.training;
  const progress: ProgressEvent[] = [];
  const total = Math.min(updates, steps - from.step);
  const meter = new ProgressMeter("pack", "updates", total, (event) => progress.push(event));
  const writing = writeBatches({
    path,
    source,
    packer: packerOf(plan),
    from,
    steps,
    updates,
    tokens,
    rng: rngOf(plan),
    learningRate: scheduleOf(plan.training),
    packed: (done, real) => meter.update(done, `${real} tokens`),
    ...(plan.signal === undefined ? {} : { signal: plan.signal }),
  });
  let pending = true;
  const settled = writing.then(
    () => (pending = false),
    () => (pending = false),
  );
  while (pending) {
    await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, 200))]);
    yield* progress.splice(0);
  }
  return writing;
}

function packerOf<P extends Position>({ stage, model }: StagePlan<P>): Packer {
  return stage === "stage1" ? new Stage1Packer(model.vocabSize, model.maskId) : new Stage2Packer(model.vocabSize);
}

function shapeOf<P extends Position>({ stage, training, model }: StagePlan<P>): Record<string, string | number> {
  const common = { stage, rows: training.batch, pad_id: model.padId };
  return "length" in training ? { ...common, length: training.length, mask_id: model.maskId } : common;
}

/** The state without what is zero: a run that has not begun then packs its parameters alone. */
async function writeStart(
  path: string,
  state: Readonly<Record<string, Tensor>>,
): Promise<Omit<PackManifest["state"], "file">> {
  const isZero = ({ dtype, data }: Tensor): boolean =>
    dtype === "float32" && (data as Float32Array).every((x) => Object.is(x, 0));
  const entries = Object.entries(state);
  const zeros = entries.filter(([, value]) => isZero(value));
  const left = new Set(zeros.map(([name]) => name));
  await writeSafetensors(path, Object.fromEntries(entries.filter(([name]) => !left.has(name))));
  return {
    names: entries.map(([name]) => name),
    zeros: Object.fromEntries(zeros.map(([name, { dims }]) => [name, [...dims]])),
  };
}

async function writePrograms(folder: string, step: Step): Promise<PackManifest["plans"]["whole"]> {
  const programs: Record<string, string> = {};
  for (const [name, graph] of Object.entries(step.programs)) {
    programs[name] = `programs/${step.kind}-${name}.onnx`;
    await writeFileAtomic(join(folder, programs[name]), torchProgram(graph));
  }
  const scratch = Object.fromEntries(Object.entries(step.scratch).map(([name, { dims }]) => [name, [...dims]]));
  return { kind: step.kind, programs, scratch };
}

async function checksums(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && basename(entry.name) !== CHECKSUMS)
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
  const lines = await Promise.all(paths.map(async (path) => `${await sha256File(join(folder, path))}  ${path}\n`));
  return lines.join("");
}
