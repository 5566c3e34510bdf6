import { expect, test } from "vitest";
import { toyIdentifiers } from "../../test/helpers/pretrain.js";
import { LANGUAGES, Rng } from "../base/index.js";
import type { OpenCorpus, RowGroup } from "../corpus/index.js";
import { trainTokenizer, type Tokenizer } from "../tokenizer/index.js";
import { identifiersByLanguage } from "./_identifiers.js";
import { ShardOrder } from "./documents.js";
import { Stage1Batches, type Stage1BatchOptions, type Stage1Position } from "./stage1-batches.js";
import type { PreparedBatch } from "./types.js";

const rng = Rng.fromSeed(5);
const SIZES = [4, 1, 7, 3, 5, 2, 6];
const COUNT = 28;

/** A corpus of 28 documents in seven row groups, that counts what is read. */
function corpus(textOf: (number: number) => string = String): { open: OpenCorpus; reads: RowGroup[] } {
  const reads: RowGroup[] = [];
  let start = 0;
  const groups = SIZES.map((rows, shard): RowGroup => ({ shard, start: (start += rows) - rows, rows, split: "train" }));
  const documents = {
    groups: () => groups,
    readGroup: (group: RowGroup) => {
      reads.push(group);
      const rows = Array.from({ length: group.rows }, (_, row) => group.start + row);
      return Promise.resolve(rows.map((number) => ({ lang: LANGUAGES[number % 2]!, text: textOf(number) })));
    },
  };
  const open = { documents, close: () => Promise.resolve() } as unknown as OpenCorpus;
  return { open, reads };
}

async function epoch(order: ShardOrder, at: number): Promise<number[]> {
  const seen: number[] = [];
  for (let index = 0; index < order.count; index++) {
    const number = order.numberAt(at, index);
    expect((await order.documentAt(at, index)).text).toBe(String(number));
    seen.push(number);
  }
  return seen;
}

test("an epoch gives every document once, in an order that differs between epochs and windows", async () => {
  const { open, reads } = corpus();
  const order = new ShardOrder(open, rng, 3);
  const [first, second] = [await epoch(order, 0), await epoch(order, 1)];
  const all = Array.from({ length: COUNT }, (_, i) => i);
  expect(first.toSorted((a, b) => a - b)).toEqual(all);
  expect(second.toSorted((a, b) => a - b)).toEqual(all);
  expect(first).not.toEqual(second);
  expect(reads).toHaveLength(2 * SIZES.length); // Every group once an epoch: a window is held while it is needed.
  // Neighbours in the shuffled order come from different groups: the shuffle goes through a whole window.
  const groupOf = (number: number): number => {
    let end = 0;
    return SIZES.findIndex((size) => number < (end += size));
  };
  const changes = first.filter((number, i) => i > 0 && groupOf(number) !== groupOf(first[i - 1]!)).length;
  expect(changes).toBeGreaterThan(SIZES.length);
});

test("any place can be gone to at once, and another key gives another order", async () => {
  const whole = await epoch(new ShardOrder(corpus().open, rng, 3), 4);
  const { open, reads } = corpus();
  expect((await new ShardOrder(open, rng, 3).documentAt(4, 20)).text).toBe(String(whole[20]));
  expect(reads.length).toBeLessThanOrEqual(3);
  expect(await epoch(new ShardOrder(corpus().open, Rng.fromSeed(6), 3), 4)).not.toEqual(whole);
});

const source = (number: number): string =>
  number === 3
    ? ""
    : `def total_${number}(first, second):\n    return first + second * ${number}\n`.repeat(1 + (number % 5));

async function take(options: Stage1BatchOptions, count: number, from?: Stage1Position) {
  const batches = new Stage1Batches(options);
  try {
    const taken: PreparedBatch<Stage1Position>[] = [];
    for (let step = 0; step < count; step++) {
      taken.push(await batches.prepare(taken.at(-1)?.next ?? from ?? batches.start, step));
    }
    return taken;
  } finally {
    await batches.close();
  }
}

async function smallTokenizer(): Promise<Tokenizer> {
  const texts = async function* (): AsyncGenerator<string> {
    for (let i = 0; i < COUNT; i++) yield source(i);
  };
  return trainTokenizer(texts(), { vocabSize: 300 });
}

test("threads make the same batches, however many, from the start and from the middle", async () => {
  const tokenizer = await smallTokenizer();
  for (const objective of ["P", "S"] as const) {
    const options = (threads: number): Stage1BatchOptions => ({
      documents: new ShardOrder(corpus(source).open, rng, 3),
      ...{ tokenizer, identifiers: identifiersByLanguage, objective, share: 1, rows: 2, length: 64, steps: 24, rng },
      masking: { rate: 0.15, replacement: "80-10-10" },
      threads,
    });
    const expected = await take(options(0), 24); // More than an epoch.
    expect(expected.at(-1)!.next.epoch).toBeGreaterThan(0);
    for (const threads of [1, 3]) expect(await take(options(threads), 24)).toEqual(expected);
    if (objective === "S") continue; // Depends on the step.
    const position = JSON.parse(JSON.stringify(expected[9]!.next)) as Stage1Position;
    expect(await take(options(2), 5, position)).toEqual(expected.slice(10, 15));
  }
}, 60_000);

test("a document that cannot be read fails the batch that needs it, threads or not", async () => {
  const tokenizer = await smallTokenizer();
  for (const threads of [0, 1]) {
    const { open } = corpus(source);
    Object.assign(open.documents, { readGroup: () => Promise.reject(new Error("broken shard")) });
    const documents = new ShardOrder(open, rng, 3);
    const options: Stage1BatchOptions = {
      ...{ documents, tokenizer, identifiers: toyIdentifiers, objective: "R", share: 1, rows: 2, length: 64, rng },
      ...{ masking: { rate: 0.15, replacement: "full" }, steps: 9, threads },
    };
    await expect(take(options, 1)).rejects.toThrow("broken shard");
  }
});
