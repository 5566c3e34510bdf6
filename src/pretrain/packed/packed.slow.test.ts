import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect } from "vitest";
import { documents, packSmallRun, pairs, startSmallRun, type SmallRun } from "../../../test/helpers/pretrain-runs.js";
import { ToyEngine, toyIdentifiers, toyTokenizer, withoutClock } from "../../../test/helpers/pretrain.js";
import { python, testWithPython } from "../../../test/helpers/requires.js";
import { Rng, readSafetensors, type Tensor } from "../../base/index.js";
import { latestCheckpoint } from "../checkpoint.js";
import type { Stage2ConfigInput } from "../config.js";
import { readMetrics } from "../metrics-file.js";
import { Stage1Batches, type Stage1BatchOptions } from "../stage1-batches.js";
import type { BatchSource, Position } from "../types.js";
import { writeBatches } from "./_batch-file.js";
import { Stage1Packer, type Packer } from "./_stage1-packer.js";
import type { TrainEngine } from "../run.js";
import { unpackRun } from "./unpack.js";

const DUMP = fileURLToPath(new URL("../../../test/helpers/dump_batches.py", import.meta.url));
const PACKAGES = fileURLToPath(new URL("../../../engines/torch", import.meta.url));
const exec = promisify(execFile);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-packed-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function drain<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** Trains a packed run with Python. */
async function train(run: string, ...options: string[]): Promise<string> {
  const { stderr } = await exec(python!, [run, "--device", "cpu", "--threads", "1", ...options]);
  return stderr;
}

const small = (changes: Partial<SmallRun>): SmallRun => ({
  ...{ stage: "stage1", out: join(folder, "run"), engine: "onnxruntime", steps: 6, everySteps: null, threads: 1 },
  ...changes,
});

/** Largest |a - b| over the largest |b|. */
function relative(a: Tensor, b: Tensor): number {
  const [left, right] = [a.data as Float32Array, b.data as Float32Array];
  const size = right.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return right.reduce((most, x, i) => Math.max(most, Math.abs(x - left[i]!)), 0) / Math.max(size, 1e-12);
}

describe("Python rebuilds the very tensors that Node feeds", () => {
  async function compare<P extends Position>(
    source: BatchSource<P>,
    packer: Packer,
    shape: Record<string, unknown>,
    steps: number,
  ): Promise<void> {
    const path = join(folder, "batches.bin");
    const { updates } = await writeBatches({
      ...{ path, source, packer, from: { step: 0, position: source.start }, steps, updates: steps, tokens: Infinity },
      ...{ rng: Rng.fromSeed(3), learningRate: () => 1 },
    });
    expect(updates).toBe(steps);
    const out = join(folder, "dump.safetensors");
    await exec(python!, [DUMP, path, JSON.stringify(shape), out], { env: { ...process.env, PYTHONPATH: PACKAGES } });
    const { tensors } = await readSafetensors(out);
    let position = source.start;
    let names = 0;
    for (let step = 0; step < steps; step++) {
      const batch = await source.prepare(position, step);
      position = batch.next;
      for (const [name, value] of Object.entries(batch.tensors)) {
        const { dtype, dims, data } = tensors[`${step}/${name}`]!;
        expect({ dtype, dims }, `${step}/${name}`).toEqual({ dtype: value.dtype, dims: [...value.dims] });
        expect(Buffer.compare(Buffer.from(data.buffer), Buffer.from(value.data.buffer)), `${step}/${name}`).toBe(0);
        names += 1;
      }
    }
    expect(Object.keys(tensors)).toHaveLength(names);
  }

  const base: Omit<Stage1BatchOptions, "documents" | "rng"> = {
    tokenizer: toyTokenizer,
    identifiers: toyIdentifiers,
    ...{ objective: "P", masking: { rate: 0.15, replacement: "full" }, share: 1, rows: 3, length: 40, steps: 30 },
  };
  const shape = { stage: "stage1", rows: 3, length: 40, pad_id: 0, mask_id: 2 };
  const cases: Readonly<Record<string, Partial<Stage1BatchOptions>>> = {
    "both objectives": {},
    "80-10-10": { masking: { rate: 0.3, replacement: "80-10-10" } },
    "nothing masked": { objective: "R", masking: { rate: 0, replacement: "full" } },
    "everything masked": { objective: "R", masking: { rate: 1, replacement: "full" } },
  };
  for (const [name, changes] of Object.entries(cases)) {
    testWithPython(`stage 1: ${name}`, async () => {
      const options = { ...base, ...changes, documents: await drain(documents()), rng: Rng.fromSeed(9) };
      await compare(new Stage1Batches(options), new Stage1Packer(1000, 2), shape, 30);
    });
  }

  testWithPython("stage 1: a vocabulary beyond 16 bits", async () => {
    const tokenizer = { ...toyTokenizer, vocabSize: 100_000, encodeIds: wide(toyTokenizer.encodeIds) };
    const options = { ...base, tokenizer, documents: await drain(documents()), rng: Rng.fromSeed(9) };
    await compare(new Stage1Batches(options), new Stage1Packer(100_000, 2), shape, 5);
  });

  testWithPython("stage 2, through a whole packed run", async () => {
    expect(await drain(pairs())).toHaveLength(90);
    const run = join(folder, "pack");
    const config = small({ stage: "stage2", engine: "toy", steps: 24, everySteps: 4 });
    await drain(packSmallRun(config, { out: run }));
    const seen: Readonly<Record<string, Tensor>>[] = [];
    await drain(startSmallRun({ ...config, engine: recording(seen) }));
    const manifest = JSON.parse(await readFile(join(run, "run.json"), "utf8")) as { shape: object };
    const out = join(folder, "dump.safetensors");
    await exec(python!, [DUMP, join(run, "batches.bin"), JSON.stringify(manifest.shape), out], {
      env: { ...process.env, PYTHONPATH: run },
    });
    const { tensors } = await readSafetensors(out);
    expect(seen).toHaveLength(24);
    seen.forEach((batch, step) => {
      for (const name of ["text_ids", "text_segments", "code_ids", "code_segments", "row_ids"]) {
        expect(tensors[`${step}/${name}`], `${step}/${name}`).toEqual(batch[name]);
      }
    });
  });
});

/** The toy engine, keeping what it is fed. */
function recording(seen: Readonly<Record<string, Tensor>>[]): TrainEngine {
  const toy = new ToyEngine();
  return {
    async open(programs, state) {
      const session = await toy.open(programs, state);
      return {
        ...session,
        run: (program, batch) => {
          seen.push(batch);
          return session.run(program, batch);
        },
      };
    },
  };
}

const wide =
  (encode: (texts: readonly string[]) => Promise<Int32Array[]>) =>
  async (texts: readonly string[]): Promise<Int32Array[]> =>
    (await encode(texts)).map((ids) => ids.map((id) => (id < 3 ? id : id * 97)));

testWithPython("Node on the torch engine and a packed run do the same steps", async () => {
  const plan = small({ engine: "torch", steps: 4 });
  await drain(startSmallRun(plan));
  const pack = join(folder, "pack");
  await drain(packSmallRun(plan, { out: pack }));
  expect(await train(pack)).toContain("all 4 updates of the run are done");
  const [node, packed] = [await latestCheckpoint(plan.out), await latestCheckpoint(pack)];
  for (const [name, value] of Object.entries(node.checkpoint!.state)) {
    expect(relative(packed.checkpoint!.state[name]!, value), name).toBeLessThan(1e-6);
  }
  expect(packed.checkpoint!.meta).toMatchObject({
    ...node.checkpoint!.meta,
    loss: expect.any(Number),
    stateSha256: expect.any(String),
  });
  // A finished run needs no unpacking to be read by Node.
  expect((await drain(startSmallRun({ ...plan, engine: "onnxruntime", out: pack }))).map(({ kind }) => kind)).toEqual([
    "start",
    "done",
  ]);
});

/**
 * A parameter with zeros where its gradient was rounding alone: less than 3e-5 of the largest, by the root of the second
 * moment. Rows of rare tokens have such numbers, as the bias of keys has.
 */
function trainedNumbers(value: Tensor, squares: Tensor | undefined): Tensor {
  if (squares === undefined) return value;
  const moments = squares.data as Float32Array;
  const largest = moments.reduce((most, x) => Math.max(most, x), 0);
  return {
    ...value,
    data: (value.data as Float32Array).map((x, i) => (moments[i]! < 1e-9 * largest ? 0 : x)),
  } as Tensor;
}

describe("a packed run is the same run", () => {
  const all: Stage2ConfigInput["loss"] = {
    ...{ temperature: { learn: 0.1 }, duplicates: "mask", modality: ["bimodal", "code"] },
    matryoshka: { dims: [32, 16], weights: [1, 0.5] },
  };
  for (const [stage, loss] of [["stage1"], ["stage2"], ["stage2", all]] as const) {
    for (const chunk of [null, 3]) {
      const name = `${stage}, ${chunk === null ? "whole batches" : "in chunks"}${loss ? ", every option of the loss" : ""}`;
      testWithPython(name, async () => {
        const plan = small({ stage, chunk, ...(loss && { loss }) });
        await drain(startSmallRun(plan)); // All six updates with ONNX Runtime.
        const [pack, back] = [join(folder, "pack"), join(folder, "back")];
        await drain(packSmallRun(plan, { out: pack, updates: 5 }));
        await train(pack, "--updates", "2");
        expect(await train(pack)).toContain("all updates up to 5 are done, of 6");
        expect(await unpackRun(pack, back)).toMatchObject({ step: 5, steps: 6, warnings: [] });
        await drain(startSmallRun({ ...plan, out: back })); // The last one with ONNX Runtime again.

        const [ours, theirs] = [await readMetrics(plan.out), await readMetrics(back)];
        expect(theirs.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
        for (const [i, line] of ours.entries()) {
          const expected = withoutClock(line);
          expect(Object.keys(withoutClock(theirs[i]!)).sort()).toEqual(Object.keys(expected).sort());
          for (const [name, value] of Object.entries(expected)) {
            const size = 1e-5 * Math.max(Math.abs(value), 1e-2);
            expect(Math.abs(theirs[i]![name]! - value), `step ${line.step}: ${name}`).toBeLessThanOrEqual(size);
          }
        }
        const [left, right] = [await latestCheckpoint(plan.out), await latestCheckpoint(back)];
        expect(right.checkpoint!.meta.position).toEqual(left.checkpoint!.meta.position);
        expect(Object.keys(right.checkpoint!.state)).toEqual(Object.keys(left.checkpoint!.state));
        for (const [name, value] of Object.entries(left.checkpoint!.state)) {
          // Moments are differences of small numbers, their effect is in the parameters; and a bias of keys has no gradient
          // but rounding, which AdamW makes as large as any.
          if (name.startsWith("adam.") || name.endsWith("c_attn.bias")) continue;
          const squares = left.checkpoint!.state[`adam.v/${name}`];
          const [found, expected] = [right.checkpoint!.state[name]!, value].map((of) => trainedNumbers(of, squares));
          expect(relative(found!, expected!), name).toBeLessThan(2e-4);
        }
      });
    }
  }
});
