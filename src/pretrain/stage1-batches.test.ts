import { describe, expect, test } from "vitest";
import { toyIdentifiers, toyIds, toyTokenizer } from "../../test/helpers/pretrain.js";
import { Rng } from "../base/index.js";
import { Stage1Batches, type Stage1BatchOptions, type Stage1Position } from "./stage1-batches.js";
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

/** The original tokens of a batch, labels put back, padding left out. */
function restored({ tensors }: PreparedBatch<Stage1Position>): number[] {
  const ids = (tensors["input_ids"]!.data as Int32Array).slice();
  const weights = tensors["masked_weight"]!.data as Float32Array;
  tensors["masked_index"]!.data.forEach((at: number | bigint, i: number) => {
    if (weights[i]! > 0) ids[Number(at)] = Number(tensors["masked_label"]!.data[i]);
  });
  return [...ids].filter((_, i) => tensors["segments"]!.data[i] !== 0);
}

describe("an epoch", () => {
  test("R gives every document's tokens once, then EOS, in the order of the permutation", async () => {
    const taken = await take(batches({ objective: "R" }), 12);
    const order = rng.split("order", 0).permutation(documents.length);
    const expected = [...order].flatMap((at) => [...toyIds(documents[at]!.text), 1]);
    const stream = taken.flatMap(restored);
    expect(stream.slice(0, expected.length)).toEqual(expected);
    const second = [...rng.split("order", 1).permutation(documents.length)];
    expect(second).not.toEqual([...order]);
    expect(stream.slice(expected.length, expected.length + 10)).toEqual(
      [...toyIds(documents[second[0]!]!.text), 1].slice(0, 10),
    );
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

describe("objectives", () => {
  test("S: R in the first half of the steps, D in the second; the document in hand at the change stays R", async () => {
    const taken = await take(batches({ objective: "S", steps: 8 }), 8);
    for (const { stats } of taken.slice(0, 4)) expect(stats["masked_d"]).toBe(0);
    const opened = taken[3]!.next.offset > 0;
    expect(taken[4]!.stats["masked_r"]! > 0).toBe(opened);
    for (const { stats } of taken.slice(5)) expect(stats["masked_r"]).toBe(0);
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
