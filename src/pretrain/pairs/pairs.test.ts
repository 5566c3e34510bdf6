import { describe, expect, test } from "vitest";
import { stream, tokenised as toyPairs, toyTokenizer } from "../../../test/helpers/pretrain.js";
import { LANGUAGES, Rng, type Language } from "../../base/index.js";
import { type PairTokenOptions, type PairTokens } from "../pair-tokens.js";
import { Stage2Batches, type Stage2BatchOptions, type Stage2Position } from "../stage2-batches.js";
import type { TrainingPair } from "../types.js";
import { collectNegatives, negativeItems } from "./negatives.js";
import { itemsByLanguage, languageQuotas } from "./items.js";
import { docstringQuery, nameQuery, saysName } from "./texts.js";
import { pairWarnings } from "./warnings.js";

const rng = Rng.fromSeed(3);

/** A letter a token, so that different texts have different tokens. */
const idsOf = (text: string): number[] => Array.from(text, (letter) => 3 + letter.charCodeAt(0));
const letters: typeof toyTokenizer = {
  ...toyTokenizer,
  encodeIds: (texts) => Promise.resolve(texts.map((text) => Int32Array.from(idsOf(text)))),
  encodeBatchForModel: (texts, maxLength) =>
    Promise.resolve(texts.map((text) => Int32Array.from([...idsOf(text).slice(0, maxLength - 1), 1]))),
};

describe("languageQuotas", () => {
  test("count^(1/T), worked by hand", () => {
    expect(languageQuotas([900, 100], 1)).toEqual([900, 100]);
    expect(languageQuotas([900, 100], 2)).toEqual([750, 250]); // 30 : 10
    expect(languageQuotas([900, 100], 1e9)).toEqual([500, 500]);
    expect(languageQuotas([900, 100], 0.5)).toEqual([988, 12]); // 81 : 1, 987.8 and 12.2
    expect(languageQuotas([0, 10, 1_000_000], 0.1)).toEqual([0, 1, 1_000_010]);
  });
});

describe("itemsByLanguage", () => {
  const languages = Uint8Array.from({ length: 100 }, (_, pair) => (pair % 10 === 0 ? 4 : 1)); // 90 of 1, 10 of 4

  test("1: every pair once an epoch", () => {
    const { pairs, passes } = itemsByLanguage(languages, 1, rng)(3);
    expect([...pairs].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(new Set(passes)).toEqual(new Set([3]));
  });

  test("2: 75 to 25; over epochs a language's pairs are shown equally often, and passes count from 0", () => {
    const itemsOf = itemsByLanguage(languages, 2, rng);
    const shown = new Map<number, number[]>();
    for (let epoch = 0; epoch < 7; epoch++) {
      const { pairs, passes } = itemsOf(epoch);
      expect([...pairs].filter((pair) => languages[pair] === 4)).toHaveLength(25);
      expect(pairs.length).toBe(100);
      pairs.forEach((pair, i) => shown.set(pair, [...(shown.get(pair) ?? []), passes[i]!]));
    }
    for (const [pair, passes] of shown) {
      expect(passes).toEqual(passes.map((_, i) => i));
      // 7 * 25 / 10 = 17.5 and 7 * 75 / 90 = 5.8
      expect(languages[pair] === 4 ? [17, 18] : [5, 6]).toContain(passes.length);
    }
  });

  test("a pure function of the key and the epoch", () => {
    const itemsOf = itemsByLanguage(languages, 3, rng);
    const fifth = itemsOf(5);
    itemsOf(0);
    expect(itemsByLanguage(languages, 3, rng)(5)).toEqual(fifth);
    expect(itemsOf(6)).not.toEqual(fifth);
  });
});

test.each([
  ["parseHTTPResponse2", "parse http response 2"],
  ["Json::read_all_lines", "read all lines"],
  ["List.sortBy", "sort by"],
  ["__init__", undefined],
  ["run", undefined],
  ["step2", undefined],
  ["größeÄndern", "größe ändern"],
])("%s asks for %s", (name, query) => expect(nameQuery(name)).toBe(query));

test("a body that says the name is no fair answer to it", () => {
  expect(saysName("return A.walkTree(x - 1)", "Tree.walkTree")).toBe(true);
  expect(saysName("return walk(x - 1)", "walkTree")).toBe(false);
});

test("a docstring is asked whole, white space collapsed, where it says more than the summary", () => {
  const pair = { summary: "Adds.", code: "f", body: "b" };
  expect(docstringQuery({ ...pair, docstring: " Adds.\n\n  All of  them. " })).toBe("Adds. All of them.");
  expect(docstringQuery({ ...pair, docstring: "Adds.\n" })).toBeUndefined();
  expect(docstringQuery(pair)).toBeUndefined();
});

const all: TrainingPair[] = Array.from({ length: 120 }, (_, i) => ({
  id: `pair ${i}`,
  lang: LANGUAGES[i % 3]!,
  summary: `Sums up ${i}.`,
  docstring: `Sums up ${i}.\n\nAt length ${i}.`,
  name: `sumUp${"abcdefghijklmnopqrst"[i % 20]!.repeat(1 + Math.floor(i / 20))}`,
  code: `def s${i}(x):\n  y${i}\n  return x`,
  body: `y${i}`,
}));

const tokenised = (pairs: readonly TrainingPair[], options: Partial<PairTokenOptions> = {}): Promise<PairTokens> =>
  toyPairs(pairs, { tokenizer: letters, textLength: 60, codeLength: 60, positives: "full", ...options });

type Shown = { text: string; code: string };

/** What batches show, as the ids of each side joined by blanks, for `epochs` epochs. */
async function shownIn(source: Stage2Batches, epochs: number): Promise<Shown[]> {
  const shown: Shown[] = [];
  for (let position: Stage2Position = source.start; position.epoch < epochs;) {
    const { tensors, stats, next } = await source.prepare(position);
    const [texts, codes] = (["text", "code"] as const).map((side) => {
      const { dims, data } = tensors[`${side}_ids`]!;
      return Array.from({ length: dims[0]! }, (_, row) => {
        const ids = Array.from(data, Number).slice(row * dims[1]!, (row + 1) * dims[1]!);
        return ids.slice(0, ids.lastIndexOf(1) + 1).join(" ");
      });
    });
    expect(new Set(codes).size).toBe(codes!.length);
    expect(new Set(texts).size).toBe(texts!.length);
    expect(stats["names"]! + stats["docstrings"]!).toBeLessThanOrEqual(texts!.length);
    texts!.forEach((text, row) => shown.push({ text, code: codes![row]! }));
    position = next;
  }
  return shown;
}

function key(text: string): string {
  return [...idsOf(text), 1].join(" ");
}

async function sourceOf(options: Partial<Stage2BatchOptions>, pairs = all): Promise<Stage2Batches> {
  const { positives = "full", text = "summary" } = options;
  return new Stage2Batches({
    pairs: await tokenised(pairs, { positives, text }),
    ...{ tokenizer: letters, positives, batch: 8, pool: 2, lengthMultiple: 8, rng },
    ...options,
  });
}

describe("the text side", () => {
  const kindOf = new Map<string, string>();
  all.forEach(({ summary, docstring, name }, i) => {
    kindOf.set(key(summary), `summary ${i}`);
    kindOf.set(key(docstringQuery(all[i]!)!), `docstring ${i}`);
    kindOf.set(key(nameQuery(name!)!), `name ${i}`);
    expect(docstring).toContain(summary);
  });
  const codeOf = new Map<string, string>();
  all.forEach(({ code, body }, i) => {
    codeOf.set(key(code), `full ${i}`);
    codeOf.set(key(body), `body ${i}`);
  });

  test("docstrings and names at their shares, beside their own code; names beside bodies alone", async () => {
    const source = await sourceOf({ text: { docstring: 0.4, name: 0.2 }, positives: { mixed: 0.5 } });
    const counts: Record<string, number> = {};
    const shown = await shownIn(source, 10);
    for (const { text, code } of shown) {
      const [kind, pair] = kindOf.get(text)!.split(" ");
      const [side, own] = codeOf.get(code)!.split(" ");
      expect(own).toBe(pair);
      if (kind === "name") expect(side).toBe("body");
      counts[kind!] = (counts[kind!] ?? 0) + 1;
      if (kind === "summary" && side === "body") counts["summary of body"] = (counts["summary of body"] ?? 0) + 1;
    }
    // 1,200 draws: standard errors .014, .012; of about 480, .023.
    expect(counts["docstring"]! / shown.length).toBeCloseTo(0.4, 1);
    expect(counts["name"]! / shown.length).toBeGreaterThan(0.15);
    expect(counts["name"]! / shown.length).toBeLessThan(0.25);
    expect(counts["summary of body"]! / counts["summary"]!).toBeGreaterThan(0.4);
    expect(counts["summary of body"]! / counts["summary"]!).toBeLessThan(0.6);
  });

  test("what is shown of a pair hangs on seed, pass and id: the order and the rest of the corpus change nothing", async () => {
    const options: Partial<Stage2BatchOptions> = { text: { docstring: 0.5, name: 0.2 }, positives: { mixed: 0.5 } };
    const kinds = async (pairs: readonly TrainingPair[], batch: number): Promise<Map<string, string>> => {
      const shown = await shownIn(await sourceOf({ ...options, batch }, [...pairs]), 1);
      return new Map(
        shown.map(({ text, code }) => {
          const [kind, pair] = kindOf.get(text)!.split(" ");
          return [pair!, `${kind} ${codeOf.get(code)!.split(" ")[0]}`];
        }),
      );
    };
    const whole = await kinds(all, 8);
    const part = await kinds(all.slice(20).reverse(), 5);
    expect(part.size).toBe(100);
    for (const [pair, kind] of part) expect(whole.get(pair)).toBe(kind);
  });

  test("names: one pair of those that share it; not where the body says it; counted", async () => {
    const named = (name: string, body: string, i: number): TrainingPair => ({
      ...all[i]!,
      name,
      body,
      code: `def ${name}():\n  ${body}\n`,
    });
    const pairs = [
      named("openFile", "a", 0),
      named("open_file", "b", 1),
      named("closeFile", "closeFile()", 2),
      named("run", "c", 3),
      named("shutDown", "", 4),
    ];
    const tokens = await tokenised(pairs, { text: { name: 0.5 } });
    expect(pairs.map((_, i) => tokens.names.lengthOf(i) > 0)).toEqual([true, false, false, false, false]);
    expect(tokens.counts.withoutName).toBe(4);
    expect([...tokens.names.get(0)]).toEqual([...idsOf("open file"), 1]);
    const expected = { text: { name: 0.5 }, wanted: undefined, expected: [] };
    expect(pairWarnings(tokens, expected).map(({ code }) => code)).toEqual(["pairs.without-name"]);
  });

  test("two pairs whose docstrings agree never show them in one batch", async () => {
    const doubled = all.map((pair, i) => ({ ...pair, docstring: `Says the same of ${i >> 1}.` }));
    await shownIn(await sourceOf({ text: { docstring: 1 } }, doubled), 2); // Expects distinct texts.
  });
});

describe("languages", () => {
  const languageOf = new Map(all.map(({ code, lang }) => [key(code), lang]));

  test("same-language batches are of one language, by the temperature's quotas", async () => {
    const uneven = all.filter((_, i) => i % 3 === 0 || i % 15 === 1); // 40 of one language, 8 of another
    const source = await sourceOf({ batches: "same-language", languageTemperature: 2, batch: 4 }, uneven);
    const counts = new Map<Language | undefined, number>();
    for (let position = source.start; position.epoch < 6;) {
      const { stats, tensors, next } = await source.prepare(position);
      expect(stats["languages"]).toBe(1);
      expect(tensors["row_ids"]!.dims).toEqual([4]);
      position = next;
    }
    for (const { code } of await shownIn(source, 6)) {
      counts.set(languageOf.get(code), (counts.get(languageOf.get(code)) ?? 0) + 1);
    }
    // sqrt 40 : sqrt 8 = 2.24 : 1 of 48: 33 and 15 an epoch, less rests that fill no batch.
    expect(counts.get(LANGUAGES[0])! / counts.get(LANGUAGES[1])!).toBeGreaterThan(1.8);
    expect(counts.get(LANGUAGES[0])! / counts.get(LANGUAGES[1])!).toBeLessThan(3);
  });

  test("a language too small for a batch of its own is left out, and said", async () => {
    const uneven = all.filter((_, i) => i % 3 === 0 || i === 1);
    expect((await sourceOf({ batches: "same-language" }, uneven)).leftOut).toEqual({ [LANGUAGES[1]!]: 1 });
    expect((await sourceOf({ batches: "alternating" }, uneven)).leftOut).toEqual({});
  });

  test("every batch can be had again from its position", async () => {
    const options: Partial<Stage2BatchOptions> = {
      ...{ batches: "alternating", languageTemperature: 3, text: { docstring: 0.5 }, positives: { mixed: 0.5 } },
    };
    const source = await sourceOf(options);
    const positions: Stage2Position[] = [];
    for (let position = source.start; position.epoch < 3; position = (await source.prepare(position)).next) {
      positions.push(position);
    }
    const again = await sourceOf(options);
    for (const position of positions.reverse()) {
      expect(await again.prepare(position)).toEqual(await source.prepare(position));
    }
  });

  test("only the wanted ones are read; one that has no pairs is an error, one that the corpus promised a warning", async () => {
    const tokens = await tokenised(all, { languages: [LANGUAGES[1]!] });
    expect(tokens.count).toBe(40);
    expect(new Set(tokens.languages)).toEqual(new Set([1]));
    const text = "summary";
    expect(() => pairWarnings(tokens, { text, wanted: [LANGUAGES[1]!, "php"], expected: [] })).toThrow(
      expect.objectContaining({ code: "corpus.language-missing", message: expect.stringContaining("none of php") }),
    );
    expect(pairWarnings(tokens, { text, wanted: undefined, expected: [LANGUAGES[1]!, "php"] })).toEqual([
      { code: "pairs.language-missing", message: expect.stringContaining("no training pairs of php") },
    ]);
  });
});

describe("hard negatives", () => {
  const lines = [
    { id: "pair 3", negatives: [["pair 9", 0.5] as const, ["gone", 0.4] as const, ["pair 6", 0.3] as const] },
    { id: "not read", negatives: [["pair 1", 0.2] as const] },
    { id: "pair 0", negatives: [["pair 3", 0.1] as const] },
  ];

  test("by the pairs' ids, the hardest first; ids that were not read are passed over", async () => {
    const { ids } = await tokenised(all.slice(0, 12));
    const found = await collectNegatives(stream(lines), ids, 1);
    expect([...found.starts]).toEqual([0, 1, 1, 1, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
    expect([...found.pairs]).toEqual([3, 9, 6]);
    // Pair 3 is shown by items 1 and 2, pair 6 by none.
    const itemsOf = negativeItems(found, {
      pairs: Uint32Array.of(0, 3, 3, 9),
      passes: new Uint32Array(4),
    });
    expect([0, 1, 2, 3].map((item) => itemsOf(item))).toEqual([[1], [3], [3], []]);
  });

  test("they come into the batch as the pairs that they are", async () => {
    const { ids } = await tokenised(all);
    const each = all.map((_, i) => ({ id: `pair ${i}`, negatives: [[`pair ${(i + 60) % 120}`, 0.5] as const] }));
    const negatives = await collectNegatives(stream(each), ids, 1);
    const source = await sourceOf({ negatives, batch: 10 });
    const shown = await shownIn(source, 1);
    expect(new Set(shown.map(({ code }) => code)).size).toBe(120);
    expect((await source.prepare(source.start)).stats).toMatchObject({ mined: 5 });
  });
});
