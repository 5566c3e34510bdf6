import { describe, expect, test } from "vitest";
import { stream, tokenised as toyPairs, toyIds, toyTokenizer } from "../../test/helpers/pretrain.js";
import { Rng, type ProgressEvent } from "../base/index.js";
import { tokenisePairs, type PairTokenOptions, type PairTokens, type Positives } from "./pair-tokens.js";
import { givesAway } from "./pairs/texts.js";
import { Stage2Batches, type Stage2Position } from "./stage2-batches.js";
import type { TrainingPair } from "./types.js";

const rng = Rng.fromSeed(2);
const all: TrainingPair[] = Array.from({ length: 70 }, (_, i) => ({
  summary: `Adds number ${i} to ${"the great ".repeat(i % 5)}sum.`,
  code: `def add${i}(x):\n${"  x += 1\n".repeat(1 + (i % 9))}  return x + ${i}`,
  body: `${"x += 1\n".repeat(1 + (i % 9))}y${i}`,
}));

const tokenised = (pairs: readonly TrainingPair[], options: Partial<PairTokenOptions> = {}): Promise<PairTokens> =>
  toyPairs(pairs, { textLength: 12, codeLength: 40, positives: "full", ...options });

async function batchesOf(positives: Positives, batch = 8): Promise<Stage2Batches> {
  const pairs = await tokenised(all, { positives });
  return new Stage2Batches({ pairs, tokenizer: toyTokenizer, positives, batch, pool: 2, lengthMultiple: 8, rng });
}

describe("tokenisePairs", () => {
  test("sides are cut to their length and closed by EOS", async () => {
    const pairs = await tokenised(all);
    expect(pairs.count).toBe(70);
    expect([...pairs.summaries.get(0)]).toEqual([...toyIds(all[0]!.summary), 1].slice(0, 12));
    const long = pairs.summaries.get(4);
    expect([...long]).toEqual([...toyIds(all[4]!.summary).slice(0, 11), 1]);
    expect([...pairs.codes.get(8)]).toEqual([...toyIds(all[8]!.code).slice(0, 39), 1]);
    expect(pairs.bodies.length).toBe(0);
  });

  test("a body without a token gives way to the code, counted", async () => {
    const pairs = await tokenised([{ ...all[0]!, body: "" }, all[1]!], { positives: "hard" });
    expect(pairs.counts.withoutBody).toBe(1);
    expect(pairs.bodies.get(0)).toEqual(pairs.codes.get(0));
    expect([...pairs.bodies.get(1)]).toEqual([...toyIds(all[1]!.body), 1]);
  });

  test("a pair whose code holds its summary is dropped, counted", async () => {
    const leak = { ...all[0]!, code: `def f():\n  # Adds number 0\n  #  to sum.\n  return 1` };
    const pairs = await tokenised([leak, all[1]!]);
    expect([pairs.count, pairs.counts.leaking]).toEqual([1, 1]);
  });

  test("a pair without a summary or code is dropped, counted", async () => {
    const pairs = await tokenised([{ ...all[0]!, summary: "" }, { ...all[1]!, code: "" }, all[2]!]);
    expect([pairs.count, pairs.counts.empty]).toEqual([1, 2]);
    expect([...pairs.summaries.get(0)]).toEqual([...toyIds(all[2]!.summary).slice(0, 11), 1]);
  });

  test("progress ends with the number read; an aborted signal stops it", async () => {
    const running = tokenisePairs(stream(all), {
      tokenizer: toyTokenizer,
      textLength: 12,
      codeLength: 40,
      positives: "full",
    });
    const events: ProgressEvent[] = [];
    for await (const event of running) events.push(event);
    expect(events.at(-1)).toMatchObject({ kind: "progress", done: 70, total: 70 });
    const signal = AbortSignal.abort();
    await expect(tokenised(all, { signal })).rejects.toBe(signal.reason);
  });
});

test("givesAway sees through line breaks and comment marks, and lets short summaries be", () => {
  expect(givesAway("/*\n * Adds one to\n * the sum. */ f()", "Adds one to the sum.")).toBe(true);
  expect(givesAway("// adds something else", "Adds one to the sum.")).toBe(false);
  expect(givesAway("// Adds one", "Adds one")).toBe(false);
});

describe("Stage2Batches", () => {
  test("padding, segments and shapes", async () => {
    const source = await batchesOf("full");
    let position: Stage2Position = source.start;
    for (let step = 0; step < 12; step++) {
      const { tensors, stats, next } = await source.prepare(position);
      position = next;
      for (const side of ["text", "code"]) {
        const ids = tensors[`${side}_ids`]!;
        const segments = tensors[`${side}_segments`]!;
        const limit = side === "text" ? 12 : 40;
        const [rows, length] = ids.dims as [number, number];
        expect(rows).toBe(8);
        expect(length % 8 === 0 || length === limit).toBe(true);
        expect(length).toBeLessThanOrEqual(limit);
        for (let row = 0; row < rows; row++) {
          const real = [...segments.data.slice(row * length, (row + 1) * length)].lastIndexOf(1 as never) + 1;
          expect(ids.data[row * length + real - 1]).toBe(1);
          expect([...ids.data.slice(row * length + real, (row + 1) * length)].every((id) => id === 0)).toBe(true);
          expect([...segments.data.slice(row * length, row * length + real)].every((s) => s === 1)).toBe(true);
        }
      }
      expect(stats["tokens"]! + stats["padding"]!).toBe(
        tensors["text_ids"]!.data.length + tensors["code_ids"]!.data.length,
      );
      expect([...tensors["row_ids"]!.data]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    }
    expect(position.epoch).toBe(1);
  });

  test("every pair at most once an epoch, and its text stands beside its own code", async () => {
    const source = await batchesOf("full");
    const codeOf = new Map(all.map(({ summary, code }) => [sideKey(summary, 12), sideKey(code, 40)]));
    const seen: string[] = [];
    let position = source.start;
    while (position.epoch === 0) {
      const { tensors, next } = await source.prepare(position);
      const texts = rowsOf(tensors["text_ids"]!);
      rowsOf(tensors["code_ids"]!).forEach((code, row) => {
        if (texts[row]!.split(" ").length < 12) expect(codeOf.get(texts[row]!)).toBe(code);
        seen.push(code);
      });
      position = next;
    }
    expect(seen.length).toBe(8 * source.batchesPerEpoch);
    expect(seen.length).toBeGreaterThan(55);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test("hard shows bodies, mixed both, by the pair and the epoch", async () => {
    const share = async (positives: Positives): Promise<number> => {
      const source = await batchesOf(positives);
      const bodies = new Set(all.map(({ body }) => sideKey(body, 40)));
      let [hard, total] = [0, 0];
      for (let position = source.start; position.epoch < 5;) {
        const { tensors, next } = await source.prepare(position);
        for (const row of rowsOf(tensors["code_ids"]!)) {
          total += 1;
          if (bodies.has(row)) hard += 1;
        }
        position = next;
      }
      return hard / total;
    };
    expect(await share("full")).toBe(0);
    expect(await share("hard")).toBe(1);
    const mixed = await share({ mixed: 0.3 });
    expect(mixed).toBeGreaterThan(0.18); // about 320 draws: standard error .026
    expect(mixed).toBeLessThan(0.42);
  });

  test("a function of the position", async () => {
    const source = await batchesOf({ mixed: 0.5 });
    const first = await source.prepare(source.start);
    const second = await source.prepare(first.next);
    expect(await (await batchesOf({ mixed: 0.5 })).prepare(first.next)).toEqual(second);
    expect(await source.prepare(source.start)).toEqual(first);
  });

  test("duplicates never share a batch", async () => {
    const doubled = [...all, ...all.map((pair) => ({ ...pair, summary: `${pair.summary.toUpperCase()}` }))];
    const pairs = await tokenised(doubled);
    const source = new Stage2Batches({
      pairs,
      tokenizer: toyTokenizer,
      positives: "full",
      batch: 16,
      pool: 4,
      lengthMultiple: 8,
      rng,
    });
    for (let position = source.start; position.epoch === 0;) {
      const { tensors, next } = await source.prepare(position);
      const rows = rowsOf(tensors["code_ids"]!);
      expect(new Set(rows).size).toBe(rows.length);
      position = next;
    }
  });

  test("too few pairs, or none, are an error with a fix", async () => {
    await expect(batchesOf("full", 71)).rejects.toMatchObject({ code: "corpus.too-small" });
    const pairs = await tokenised([]);
    const make = (): Stage2Batches =>
      new Stage2Batches({
        pairs,
        tokenizer: toyTokenizer,
        positives: "full",
        batch: 2,
        pool: 1,
        lengthMultiple: 8,
        rng,
      });
    expect(make).toThrow(expect.objectContaining({ code: "corpus.empty" }));
  });
});

function sideKey(text: string, limit: number): string {
  return [...toyIds(text).slice(0, limit - 1), 1].join(" ");
}

function rowsOf({ dims, data }: { dims: readonly number[]; data: ArrayLike<number | bigint> }): string[] {
  const length = dims[1]!;
  const values = Array.from(data, Number);
  return Array.from({ length: dims[0]! }, (_, row) => {
    const ids = values.slice(row * length, (row + 1) * length);
    return ids.slice(0, ids.lastIndexOf(1) + 1).join(" ");
  });
}
