import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toyIdentifiers, toyTokenizer, withoutClock } from "../../../test/helpers/pretrain.js";
import { documents, pairs } from "../../../test/helpers/pretrain-runs.js";
import { float32, type Tensor } from "../../base/index.js";
import { createEngine } from "../../engine/index.js";
import { sizeWith } from "../../model/index.js";
import { latestCheckpoint } from "../checkpoint.js";
import { readMetrics } from "../metrics-file.js";
import { runStage1, type Stage1Options } from "../stage1.js";
import { runStage2, type Stage2Options } from "../stage2.js";
import type { TrainEvent, TrainSession } from "../types.js";
import { evaluateMasked, packExamples } from "./masked.js";
import { meanReciprocalRank } from "./retrieval.js";
import { writeSamples, type Sample } from "./samples.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-evaluation-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("masked tokens", () => {
  test("every masked token counts once, whatever batch it fell into", async () => {
    const example = (length: number, masked: number) => ({
      input: new Int32Array(length).fill(7),
      labels: new Int32Array(length).fill(-1).fill(9, 0, masked),
      objective: "R" as const,
    });
    const batches = await packExamples([example(30, 3), example(20, 1), example(50, 10)], {
      ...{ rows: 2, length: 32, padId: 0 },
    });
    expect(batches.reduce((sum, { masked }) => sum + masked, 0)).toBe(14);
    for (const { tensors } of batches) {
      const [rows, length] = tensors["segments"]!.dims as [number, number];
      for (let row = 0; row < rows; row++) expect(tensors["segments"]!.data[row * length]).toBe(1); // No empty row.
      expect(tensors).not.toHaveProperty("row_ids");
    }
    // A model that finds the first batch easy and the others hard.
    const session: TrainSession = {
      run: (_, { masked_weight: weight }) => {
        const easy = weight === batches[0]!.tensors["masked_weight"];
        const scalar = (value: number): Tensor => float32([], [value]);
        return Promise.resolve({ loss_r: scalar(easy ? 1 : 3), correct_r: scalar(easy ? 1 : 0) });
      },
      read: () => Promise.resolve({}),
    };
    const found = await evaluateMasked(session, "p", [{ lang: "go", objective: "R", batches }]);
    const first = batches[0]!.masked;
    const loss = (first + 3 * (14 - first)) / 14;
    expect(found["validation_loss_r"]).toBeCloseTo(loss, 12);
    expect(found["validation_accuracy_r"]).toBeCloseTo(first / 14, 12);
    expect(found["validation_accuracy_r_go"]).toBeCloseTo(first / 14, 12);
    expect(found["validation_perplexity_r"]).toBeCloseTo(Math.exp(loss), 9);
  });
});

test("reciprocal ranks by hand; vectors that are all the same find nothing", () => {
  const unit = (angle: number): Float32Array => Float32Array.of(Math.cos(angle), Math.sin(angle));
  const codes = [unit(0), unit(1), unit(2)];
  // The first query's own code comes first; the second's second; the third's last.
  const mrr = meanReciprocalRank([unit(0.1), unit(0.2), unit(0.3)], codes);
  expect(mrr).toBeCloseTo((1 + 1 / 2 + 1 / 3) / 3, 12);
  expect(meanReciprocalRank(codes, [unit(1), unit(1), unit(1)])).toBeCloseTo(1 / 3, 12);
  expect(meanReciprocalRank([Float32Array.of(NaN, 0)], [unit(1)])).toBe(1); // Alone it is first and last.
});

test("samples of updates that are done again give way; a spoilt file is begun anew", async () => {
  const sample = (step: number): Sample => ({ step, before: "", after: "", truth: "x", guesses: [] });
  await writeFile(join(folder, "samples.json"), "{ half");
  await writeSamples(folder, [sample(5)], 5);
  await writeSamples(folder, [sample(10)], 10);
  await writeSamples(folder, [sample(5)], 5);
  const read = JSON.parse(await readFile(join(folder, "samples.json"), "utf8")) as Sample[];
  expect(read.map(({ step }) => step)).toEqual([5]);
});

describe("in a run", () => {
  const decoding = {
    ...toyTokenizer,
    decode: (ids: ArrayLike<number>) => Promise.resolve(Array.from(ids, (id) => `t${id} `).join("")),
  };
  const options = (out: string, changes: object = {}): Stage1Options => ({
    config: {
      ...{ steps: 6, batch: 2, length: 32, optimizer: { learningRate: 3e-3 }, ...changes },
      checkpoints: { everySteps: 3, everySeconds: null },
    },
    model: sizeWith("nano", { vocabSize: 1000, width: 16, heads: 2, layers: 1, maxLength: 64 }),
    tokenizer: decoding,
    identifiers: toyIdentifiers,
    corpus: {
      ...{ hash: "documents", documents },
      validation: {
        documents: [
          { lang: "c", text: "int v_a = v_b + total; // alpha beta".repeat(3) },
          { lang: "go", text: "func v_main() { v_a := 1; return v_a }" },
        ],
        pairs: Array.from({ length: 5 }, (_, i) => ({
          summary: `Adds ${i} to total`,
          code: `f${i}() { total += ${i} }`,
        })),
      },
    },
    out: join(folder, out),
    engine: createEngine("onnxruntime"),
    engineSettings: { threads: 1 },
  });

  async function run(given: Stage1Options, stop?: number): Promise<TrainEvent[]> {
    const events: TrainEvent[] = [];
    const controller = new AbortController();
    for await (const event of runStage1({ ...given, signal: controller.signal })) {
      events.push(event);
      if (event.kind === "step" && event.step === stop) controller.abort();
    }
    return events;
  }

  test("it is in the metrics every so many updates and after the last, and changes nothing of the training", async () => {
    await run(options("plain"));
    const evaluation = { everySteps: 4, samples: 2 };
    await run(options("watched", { evaluation }));
    const [plain, watched] = [await readMetrics(join(folder, "plain")), await readMetrics(join(folder, "watched"))];
    expect(watched.flatMap((line) => ("validation_mrr" in line ? [line.step] : []))).toEqual([4, 6]);
    expect(watched.map(({ loss }) => loss)).toEqual(plain.map(({ loss }) => loss));
    const state = async (name: string) => (await latestCheckpoint(join(folder, name))).checkpoint!.state;
    expect(await state("watched")).toEqual(await state("plain"));

    const last = watched.at(-1)!;
    for (const name of ["loss_r", "loss_d", "accuracy_r_c", "accuracy_d_go", "perplexity_r"]) {
      expect(Number.isFinite(last[`validation_${name}`]), name).toBe(true);
    }
    expect(last["validation_mrr"]).toBeGreaterThanOrEqual(1 / 5);
    expect(last["validation_effective_rank"]).toBeGreaterThan(1);
    expect(last["validation_effective_rank"]).toBeLessThanOrEqual(10); // Ten vectors.
    expect(Math.abs(last["validation_mean_cosine"]!)).toBeLessThanOrEqual(1);
    expect(last["validation_perplexity_d"]).toBeCloseTo(Math.exp(last["validation_loss_d"]!), 6);
    const samples = JSON.parse(await readFile(join(folder, "watched", "samples.json"), "utf8")) as Sample[];
    expect(samples.map(({ step }) => step)).toEqual([4, 4, 6, 6]);
    expect(samples[0]!.guesses).toHaveLength(5);

    // Stopped in between and called again, it reads as if nothing had happened; how often may change between calls.
    await run(options("stopped", { evaluation: { everySteps: 2 } }), 3);
    await run(options("stopped", { evaluation }));
    const resumed = await readMetrics(join(folder, "stopped"));
    expect(resumed.slice(3).map(withoutClock)).toEqual(watched.slice(3).map(withoutClock));
  });

  test("stage 2 looks at held-out pairs, and changes nothing of the training; with a static bag, too", async () => {
    const held = Array.from({ length: 6 }, (_, i) => ({
      summary: `Adds ${i} to total`,
      code: `f${i}() { n += ${i} }`,
    }));
    for (const size of ["nano", "bag"] as const) {
      const model = sizeWith(size, { vocabSize: 1000, width: 16, ...(size === "nano" ? { layers: 1, heads: 2 } : {}) });
      const train = async (out: string, evaluation?: object): Promise<Stage2Options> => {
        const given: Stage2Options = {
          config: { ...{ steps: 5, batch: 8, textLength: 16, codeLength: 24 }, ...(evaluation && { evaluation }) },
          corpus: { hash: "pairs", pairs, validation: held },
          ...{ model, tokenizer: toyTokenizer, out: join(folder, `${size}-${out}`) },
          ...{ engine: createEngine("onnxruntime"), engineSettings: { threads: 1 } },
        };
        const events = runStage2(given);
        while ((await events.next()).done !== true);
        return given;
      };
      const plain = await readMetrics((await train("plain")).out);
      const watched = await readMetrics((await train("watched", { everySteps: 2 })).out);
      expect(watched.flatMap((line) => ("validation_mrr" in line ? [line.step] : []))).toEqual([2, 4, 5]);
      expect(watched.map(({ loss }) => loss)).toEqual(plain.map(({ loss }) => loss));
      const last = watched.at(-1)!;
      expect(last["validation_mrr"]).toBeGreaterThanOrEqual(1 / 6);
      for (const name of ["alignment", "uniformity", "mean_cosine", "effective_rank"]) {
        expect(Number.isFinite(last[`validation_${name}`]), name).toBe(true);
      }
    }
  });

  test("a source without validation documents is told of, and trains", async () => {
    const given = options("none", { evaluation: { everySteps: 2 } });
    const { hash } = given.corpus as { hash: string };
    const events = await run({ ...given, corpus: { hash, documents } });
    expect(events.find(({ kind }) => kind === "warning")).toMatchObject({ code: "evaluation.no-data" });
    expect(events.at(-1)).toMatchObject({ kind: "done", step: 6 });
  });
});
