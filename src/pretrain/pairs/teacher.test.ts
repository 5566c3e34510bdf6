import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toyTokenizer } from "../../../test/helpers/pretrain.js";
import { float32, int32, Rng, type Tensor } from "../../base/index.js";
import type { PairEncoder } from "../../corpus/index.js";
import { createEngine } from "../../engine/index.js";
import { initialise, sizeWith } from "../../model/index.js";
import { PAPER_CONTRASTIVE } from "../losses/index.js";
import { initialState } from "../programs/index.js";
import { stage2Plan, type Stage2Options } from "../stage2.js";
import { stage2Steps, type Step } from "../step.js";
import type { BatchSource, TrainingPair } from "../types.js";
import { distillationOf, embedByTeacher, type TeacherRows } from "./teacher.js";

let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), "lodestone-teacher-"));
});
afterAll(() => rm(cache, { recursive: true, force: true }));

/** Puts number i at i / 1000 radians, code a quarter further. */
class Numbers implements PairEncoder {
  readonly name = "numbers";
  readonly dim = 2;
  texts = 0;

  embed(texts: readonly string[]): Promise<Float32Array> {
    this.texts += texts.length;
    return Promise.resolve(
      Float32Array.from(
        texts.flatMap((text) => {
          const angle = Number(/\d+/.exec(text)![0]) / 1000 + (text.startsWith("code") ? Math.PI / 2 : 0);
          return [Math.cos(angle), Math.sin(angle)];
        }),
      ),
    );
  }
}

async function* pairs(count: number): AsyncGenerator<TrainingPair> {
  for (let i = 0; i < count; i++) {
    // The first one repeats its summary and is left out; the teacher's rows count it all the same.
    const code = i === 0 ? "code 0 // Sums up the number 0" : `code ${i} ( x ) { }`;
    yield { summary: `Sums up the number ${i}`, code, body: `x ${i}` };
  }
}

async function last<T>(work: AsyncGenerator<unknown, T>): Promise<T> {
  for (;;) {
    const { done, value } = await work.next();
    if (done === true) return value as T;
  }
}

describe("a teacher's rows", () => {
  const rowsOf = (encoder: PairEncoder, count: number): Promise<TeacherRows> =>
    last(embedByTeacher(pairs(count), { encoder, cache, hash: `of ${count}`, textLength: 64, codeLength: 64 }));

  test("come back by number, over several files; a second run embeds nothing", async () => {
    const encoder = new Numbers();
    await rowsOf(encoder, 2100);
    expect(encoder.texts).toBe(4200);
    const rows = await rowsOf(encoder, 2100);
    expect(encoder.texts).toBe(4200);
    const numbers = [2099, 3, 1000, 999];
    const { texts, codes } = rows.read(numbers);
    numbers.forEach((number, row) => {
      expect(texts[2 * row]).toBeCloseTo(Math.cos(number / 1000), 4);
      expect(codes[2 * row]).toBeCloseTo(-Math.sin(number / 1000), 4);
    });
  });

  test("stand beside their pairs in a batch", async () => {
    const plan = await stage2Plan(options());
    const source: BatchSource<{ epoch: number; index: number }> = await last(plan.source(Rng.fromSeed(1), 0));
    const { tensors } = await source.prepare(source.start, 0);
    const numbered = new Map<string, number>();
    for await (const { summary } of pairs(40)) {
      const [ids] = await toyTokenizer.encodeBatchForModel([summary], 16);
      numbered.set([...ids!].join(" "), Number(/\d+/.exec(summary)![0]));
    }
    const { dims, data } = tensors["text_ids"]!;
    for (let row = 0; row < 8; row++) {
      const ids = Array.from(data, Number).slice(row * dims[1]!, (row + 1) * dims[1]!);
      const number = numbered.get(ids.slice(0, ids.indexOf(1) + 1).join(" "))!;
      expect(number).toBeGreaterThan(0);
      expect(Number(tensors["teacher_text"]!.data[2 * row])).toBeCloseTo(Math.cos(number / 1000), 4);
      expect(Number(tensors["teacher_code"]!.data[2 * row + 1])).toBeCloseTo(Math.cos(number / 1000), 4);
    }
  });
});

function options(changes: Partial<Stage2Options["config"]> = {}): Stage2Options {
  const teacher = { model: "somewhere", ...(changes.teacher ?? {}) };
  return {
    config: { steps: 2, batch: 8, textLength: 16, codeLength: 16, ...changes, teacher },
    model: sizeWith("nano", { vocabSize: 1000, padId: 0, eosId: 1, maskId: 2, maxLength: 32 }),
    corpus: { hash: "forty", pairs: () => pairs(40) },
    tokenizer: toyTokenizer,
    teacher: { encoder: new Numbers(), cache },
    out: join(cache, "run"),
    engine: createEngine("reference"),
  };
}

describe("bad input", () => {
  const refused = (given: Stage2Options): Promise<unknown> => stage2Plan(given).catch((error: unknown) => error);

  test("vectors of another width, with the way out", async () => {
    expect(await refused(options({ teacher: { model: "m", kind: "embeddings" } }))).toMatchObject({
      code: "teacher.dimension",
    });
  });

  test("no teacher opened; a loss without summaries and code", async () => {
    const { teacher, ...without } = options();
    expect(teacher).toBeDefined();
    expect(await refused(without)).toMatchObject({ code: "teacher.missing" });
    expect(await refused(options({ loss: { modality: "code" } }))).toMatchObject({ code: "config.invalid" });
  });

  test("another teacher is another run", async () => {
    const other = options();
    const hashes = [
      (await stage2Plan(options())).corpusHash,
      (
        await stage2Plan({
          ...other,
          teacher: { encoder: { ...other.teacher!.encoder, name: "other" } as PairEncoder, cache },
        })
      ).corpusHash,
    ];
    expect(new Set([...hashes, "forty"]).size).toBe(3);
  });
});

test("in chunks, and in blocks of anchors, the update is that of the whole batch", async () => {
  const rng = Rng.fromSeed(4);
  const model = sizeWith("nano", { vocabSize: 60, width: 8, heads: 2, layers: 1, maxLength: 8 });
  const update = { betas: [0.9, 0.999] as const, eps: 1e-8, weightDecay: 0.1, clip: 0.5 };
  const encoder: PairEncoder = { name: "wide", dim: 3, embed: () => Promise.reject(new Error("not asked")) };
  const teaching = { kind: "scores", weight: 2, temperature: 0.2, textLength: 8, codeLength: 8 } as const;
  const loss = { ...PAPER_CONTRASTIVE, block: 3, teacher: distillationOf(teaching, { encoder, cache }, 8) };
  const ids = (): Tensor =>
    int32(
      [5, 4],
      Array.from({ length: 20 }, () => 3 + rng.int(50)),
    );
  const vectors = (): Tensor =>
    float32(
      [5, 3],
      Array.from({ length: 15 }, () => rng.normal()),
    );
  const batch: Record<string, Tensor> = {
    ...{ text_ids: ids(), text_segments: int32([5, 4], new Int32Array(20).fill(1)) },
    ...{ code_ids: ids(), code_segments: int32([5, 4], new Int32Array(20).fill(1)) },
    ...{ teacher_text: vectors(), teacher_code: vectors(), row_ids: int32([5], [0, 1, 2, 3, 4]) },
    ...{ dropout_key: int32([2], [1, 2]), learning_rate: float32([], [1e-2]) },
  };
  const after = async (step: Step): Promise<{ metrics: Record<string, number>; weights: number[] }> => {
    const state = { ...initialState(model, initialise(model, Rng.fromSeed(9)), update, "stage2"), ...step.scratch };
    const session = await createEngine("reference").open(step.programs, state);
    const outputs = await step.run(session, batch);
    const read = await session.read(["wte.weight", "wpe.weight"]);
    await session.close();
    return {
      metrics: Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, Number(data[0])])),
      weights: Object.values(read).flatMap(({ data }) => Array.from(data, Number)),
    };
  };
  const whole = await after(stage2Steps(model, loss, update, null));
  const parts = await after(stage2Steps(model, loss, update, 2));
  const { teacher, ...alone } = loss;
  expect(teacher.weight).toBe(2);
  const without = await after(stage2Steps(model, alone, update, null));
  expect(whole.metrics["loss_teacher"]).toBeGreaterThan(0.01);
  expect(whole.metrics["loss"]).toBeCloseTo(without.metrics["loss"]! + 2 * whole.metrics["loss_teacher"]!, 4);
  for (const [name, value] of Object.entries(whole.metrics)) expect(parts.metrics[name], name).toBeCloseTo(value, 4);
  whole.weights.forEach((value, i) => expect(parts.weights[i]).toBeCloseTo(value, 5));
  expect(whole.weights).not.toEqual(without.weights);
});
