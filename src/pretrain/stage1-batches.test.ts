import { describe, expect, test } from "vitest";
import { toyIdentifiers, toyIds, toyTokenizer } from "../../test/helpers/pretrain.js";
import { Rng } from "../base/index.js";
import { LANES_PER_ROW, Stage1Batches, type Stage1BatchOptions, type Stage1Position } from "./stage1-batches.js";
import type { PreparedBatch, TrainingDocument } from "./types.js";

const rng = Rng.fromSeed(11);
const documents: TrainingDocument[] = Array.from({ length: 30 }, (_, i) => ({
  lang: "python",
  text: `def v${i}(a, b): return ${"v_x + ".repeat(1 + ((7 * i) % 23))}b${i} # v comment`,
}));

function batches(options: Partial<Stage1BatchOptions> = {}): Stage1Batches {
  return new Stage1Batches({
    documents,
    tokenizer: toyTokenizer,
    identifiers: toyIdentifiers,
    objective: "P",
    masking: { rate: 0.15, replacement: "full" },
    share: 1,
    rows: 4,
    length: 64,
    steps: 100,
    rng,
    ...options,
  });
}

async function take(
  source: Stage1Batches,
  count: number,
  from = source.start,
): Promise<PreparedBatch<Stage1Position>[]> {
  const taken: PreparedBatch<Stage1Position>[] = [];
  let position = from;
  for (let step = 0; step < count; step++) {
    taken.push(await source.prepare(position, step));
    position = taken.at(-1)!.next;
  }
  return taken;
}

/** Every lane's documents: their original tokens, labels put back; in the order in which they began. */
function documentsOf(taken: readonly PreparedBatch<Stage1Position>[]): { tokens: number[]; whole: boolean }[] {
  const begun: { tokens: number[]; whole: boolean }[] = [];
  const open = new Map<number, (typeof begun)[number]>();
  taken.forEach(({ tensors }, step) => {
    const ids = (tensors["input_ids"]!.data as Int32Array).slice();
    const weights = tensors["masked_weight"]!.data as Float32Array;
    tensors["masked_index"]!.data.forEach((at: number | bigint, i: number) => {
      if (weights[i]! > 0) ids[Number(at)] = Number(tensors["masked_label"]!.data[i]);
    });
    const [rows, length] = tensors["input_ids"]!.dims as [number, number];
    for (let row = 0; row < rows; row++) {
      const lane = (step % LANES_PER_ROW) * rows + row;
      for (let at = row * length; at < (row + 1) * length && tensors["segments"]!.data[at] !== 0; at++) {
        if (!open.has(lane)) open.set(lane, begun[begun.push({ tokens: [], whole: false }) - 1]!);
        const document = open.get(lane)!;
        document.tokens.push(ids[at]!);
        if (ids[at] !== 1) continue;
        document.whole = true;
        open.delete(lane);
      }
    }
  });
  return begun;
}

describe("an epoch", () => {
  test("R gives every document's tokens once, then EOS, and then begins the next epoch", async () => {
    const taken = await take(batches({ objective: "R" }), 3 * LANES_PER_ROW);
    expect(taken.at(-1)!.next.epoch).toBeGreaterThanOrEqual(2);
    const texts = documents.map(({ text }) => [...toyIds(text), 1]);
    const counts = new Array<number>(texts.length).fill(0);
    for (const { tokens, whole } of documentsOf(taken)) {
      const number = texts.findIndex((ids) => tokens.every((id, i) => id === ids[i]));
      expect(number).toBeGreaterThanOrEqual(0);
      if (!whole) continue;
      expect(tokens).toEqual(texts[number]);
      counts[number]! += 1;
    }
    // Those in hand at the end were begun, too.
    const { lanes, epoch, index } = taken.at(-1)!.next;
    for (const [, at, place] of lanes.matchAll(/(\d+):(\d+):\d+:R/g)) {
      counts[rng.split("order", Number(at)).permutation(texts.length)[Number(place)]!]! += 1;
    }
    const last = [...rng.split("order", epoch).permutation(texts.length).slice(0, index)];
    expect(counts).toEqual(texts.map((_, number) => epoch + (last.includes(number) ? 1 : 0)));
  });

  test("rows of a batch, and of the batches after it, hold different documents", async () => {
    const rows = 3;
    const long = Array.from({ length: rows * LANES_PER_ROW + 5 }, (_, i): TrainingDocument => ({
      lang: "python",
      text: `def v${i}(a, b): return a + b${i} # v comment`.repeat(50),
    }));
    const taken = await take(batches({ objective: "R", documents: long, rows }), LANES_PER_ROW + 1);
    const order = rng.split("order", 0).permutation(long.length);
    taken.slice(0, LANES_PER_ROW).forEach((batch, step) => {
      const firsts = documentsOf([batch]).map(({ tokens }) => tokens);
      const expected = [...order.slice(step * rows, (step + 1) * rows)].map((number) => toyIds(long[number]!.text));
      expect(firsts).toEqual(expected.map((ids) => [...ids.slice(0, 64)]));
    });
    const [again] = documentsOf(taken.slice(-1));
    expect(again!.tokens).toEqual([...toyIds(long[order[0]!]!.text).slice(64, 128)]);
  });

  test("P masks about half of the documents by each objective, D more tokens than R", async () => {
    const counts = (await take(batches(), 30)).map(({ stats }) => stats);
    const sum = (key: string): number => counts.reduce((total, stats) => total + stats[key]!, 0);
    expect(sum("masked_d")).toBeGreaterThan(sum("masked_r"));
    expect(sum("masked_r")).toBeGreaterThan(0);
  });
});

test("weights are one over the number of masked positions; unused room points at 0 with weight 0", async () => {
  for (const { tensors, stats } of await take(batches(), 10)) {
    const count = stats["masked_r"]! + stats["masked_d"]!;
    const weights = [...(tensors["masked_weight"]!.data as Float32Array)];
    expect(weights.slice(0, count)).toEqual(new Array(count).fill(Math.fround(1 / count)));
    expect(weights.slice(count).every((weight) => weight === 0)).toBe(true);
    expect([...tensors["masked_index"]!.data.slice(count)].every((at) => at === 0)).toBe(true);
    const codes = tensors["objective"]!.data.slice(0, count);
    expect([...codes].filter((code) => code === 1)).toHaveLength(stats["masked_d"]!);
    expect(stats["tokens"]! + stats["padding"]!).toBe(4 * 64);
  }
});

test("everything masked still has room", async () => {
  const all = batches({ objective: "R", masking: { rate: 1, replacement: "full" }, cacheTokens: 10 });
  for (const { tensors, stats } of await take(all, 5)) {
    const ends = [...tensors["input_ids"]!.data].filter((id) => id === 1).length;
    expect(stats["masked_r"]).toBe(stats["tokens"]! - ends);
    expect(tensors["masked_index"]!.dims[0]).toBeGreaterThanOrEqual(stats["masked_r"]!);
  }
});

describe("a batch is a function of data, key and position", () => {
  test("whatever was asked before, and whatever is cached", async () => {
    const taken = await take(batches(), 12);
    for (const at of [11, 3, 7]) {
      const fresh = batches({ cacheTokens: 100 });
      // Positions survive JSON, as in a checkpoint.
      const position = JSON.parse(JSON.stringify(taken[at - 1]!.next)) as Stage1Position;
      expect(await fresh.prepare(position, at)).toEqual(taken[at]);
    }
  });

  test("another seed gives another batch", async () => {
    const other = batches({ rng: Rng.fromSeed(12) });
    expect(await other.prepare(other.start, 0)).not.toEqual(await batches().prepare(batches().start, 0));
  });
});

test("a place of another batch size, or of nothing, is refused", async () => {
  const { start } = batches({ rows: 3 });
  const places = [start, { ...start, lanes: "here" }, { epoch: 0, index: 4, offset: 7, objective: "R" }];
  for (const place of places) {
    await expect(batches().prepare(place as Stage1Position, 0)).rejects.toMatchObject({ code: "checkpoint.position" });
  }
});

describe("objectives", () => {
  test("S: R in the first half of the steps, D in the second; documents in hand at the change stay R", async () => {
    const half = 4 * LANES_PER_ROW;
    const taken = await take(batches({ objective: "S", steps: 2 * half }), 2 * half);
    for (const { stats } of taken.slice(0, half)) expect(stats["masked_d"]).toBe(0);
    expect(taken[half - 1]!.next.lanes).toMatch(/:R/);
    const next = taken.slice(half, half + LANES_PER_ROW);
    expect(next.some(({ stats }) => stats["masked_r"]! > 0)).toBe(true);
    // No document is longer than three rows.
    for (const { stats } of taken.slice(half + 3 * LANES_PER_ROW)) expect(stats["masked_r"]).toBe(0);
  });

  test("D masks identifiers and nothing else", async () => {
    const source = batches({ objective: "D" });
    const names = new Set(
      documents.flatMap(({ text }) => [...text.matchAll(/\bv\w*/g)].flatMap((m) => [...toyIds(m[0])])),
    );
    for (const { tensors, stats } of await take(source, 5)) {
      const labels = [...tensors["masked_label"]!.data].slice(0, stats["masked_d"]);
      expect(labels.length).toBeGreaterThan(0);
      expect(labels.every((label) => names.has(Number(label)))).toBe(true);
    }
  });

  test("a document without identifiers falls back to R and is counted", async () => {
    const plain = batches({ objective: "D", documents: [{ lang: "c", text: "1 + 2 * (3 - 4) / 5 % 6" }] });
    const { stats } = await plain.prepare(plain.start, 0);
    expect(stats["masked_d"]).toBe(0);
    expect(stats["masked_r"]).toBeGreaterThan(0);
    expect(stats["without_identifiers"]).toBe(stats["documents"]);
  });
});

test("empty documents are passed over; a corpus of nothing else is an error", async () => {
  const mixed = batches({
    documents: [
      { lang: "c", text: "" },
      { lang: "c", text: "int x;" },
    ],
  });
  expect((await mixed.prepare(mixed.start, 0)).stats["tokens"]).toBeGreaterThan(0);
  const empty = batches({ documents: [{ lang: "c", text: "" }] });
  await expect(empty.prepare(empty.start, 0)).rejects.toMatchObject({ code: "corpus.empty" });
  expect(() => batches({ documents: [] })).toThrow(expect.objectContaining({ code: "corpus.empty" }));
});
