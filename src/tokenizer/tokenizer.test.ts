import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { python, testWithPython } from "../../test/helpers/requires.js";
import { Rng, UserError } from "../base/index.js";
import { TEXTS } from "../../test/helpers/texts.js";
import { loadTokenizer, trainTokenizer, type Tokenizer } from "./index.js";

let folder: string;
let plain: Tokenizer;
let split: Tokenizer;
let lower: Tokenizer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-tokenizer-test-"));
  [plain, split, lower] = await Promise.all([
    trainTokenizer(TEXTS, { vocabSize: 400 }),
    trainTokenizer(TEXTS, { vocabSize: 400, splitIdentifiers: true }),
    trainTokenizer(TEXTS, { vocabSize: 400, splitIdentifiers: true, lowercase: true }),
  ]);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Case folding as the file's normalizer does it: character by character, without context. */
const fold = (text: string): string => Array.from(text, (character) => character.toLowerCase()).join("");

/** Every Unicode scalar value, in strings of 4,096; every byte that UTF-8 can hold is in them. */
function everyCharacter(): string[] {
  const blocks: string[] = [];
  for (let start = 0; start < 0x110000; start += 4096) {
    const points = Array.from({ length: 4096 }, (_, i) => start + i).filter((p) => p < 0xd800 || p > 0xdfff);
    if (points.length > 0) blocks.push(String.fromCodePoint(...points));
  }
  return blocks;
}

function randomText(rng: Rng): string {
  const pools = ["aZ _(){}\n\t\r\n 09.;'\"", "éßÀǅİſ", "e\u0301\u200d\ufeff", "漢字かな", "😀👩‍🚀🏳️‍🌈𝒳"].map((pool) => [
    ...pool,
  ]);
  return Array.from({ length: rng.int(60) }, () => {
    const pool = pools[rng.int(pools.length + 1)];
    if (pool !== undefined) return pool[rng.int(pool.length)]!;
    const point = rng.int(0x110000);
    return point >= 0xd800 && point <= 0xdfff ? " " : String.fromCodePoint(point);
  }).join("");
}

test("decode(encode(text)) is text, for every character and for random strings", async () => {
  const rng = Rng.fromSeed(5);
  const random = [...Array.from({ length: 300 }, () => randomText(rng)), ...TEXTS];
  for (const [tokenizer, texts] of [
    [plain, [...everyCharacter(), ...random]],
    [split, random],
  ] as const) {
    const encodings = await tokenizer.encodeIds(texts);
    for (const [i, text] of texts.entries()) expect(await tokenizer.decode(encodings[i]!)).toBe(text);
  }
}, 60_000);

test("with lower-casing the round trip is of the lower-cased text", async () => {
  const rng = Rng.fromSeed(6);
  const texts = [...Array.from({ length: 300 }, () => randomText(rng)), ...TEXTS];
  const encodings = await lower.encodeIds(texts);
  for (const [i, text] of texts.entries()) expect(await lower.decode(encodings[i]!)).toBe(fold(text));
});

test("offsets are UTF-16 code units, by hand", async () => {
  const bytes = await trainTokenizer(["x"], { vocabSize: 259 });
  const pairs = async (text: string): Promise<string> => (await bytes.encode(text)).offsets.join(" ");
  expect(await pairs("a😀b")).toBe("0 1 1 3 1 3 1 3 1 3 3 4"); // Four bytes of one emoji share its two units.
  expect(await pairs("e\u0301!")).toBe("0 1 1 2 1 2 2 3"); // A combining mark is a character of its own.
  expect(await pairs("\r\n")).toBe("0 1 1 2");
  expect(await pairs("\ud800x")).toBe("0 1 0 1 0 1 1 2"); // A lone surrogate is encoded as U+FFFD, three bytes.
  expect(await pairs("😀\udc00😀")).toBe("0 2 0 2 0 2 0 2 2 3 2 3 2 3 3 5 3 5 3 5 3 5");
  expect(await pairs("")).toBe("");
  expect(await bytes.decode((await bytes.encode("\ud800x")).ids)).toBe("\ufffdx");
});

test("offsets cover the text in order, spaces included, and agree with each token's own text", async () => {
  const rng = Rng.fromSeed(7);
  for (const tokenizer of [plain, split, lower]) {
    for (const text of [...Array.from({ length: 100 }, () => randomText(rng)), TEXTS[0]!]) {
      if (text.includes("\u{FDD0}")) continue;
      const { ids, offsets } = await tokenizer.encode(text);
      expect(offsets.length).toBe(2 * ids.length);
      let covered = 0;
      for (let i = 0; i < ids.length; i++) {
        const [start, end] = [offsets[2 * i]!, offsets[2 * i + 1]!];
        expect(start).toBeLessThanOrEqual(covered);
        expect(end).toBeGreaterThanOrEqual(covered);
        covered = end;
        const own = await tokenizer.decode([ids[i]!]);
        const slice = text.slice(start, end);
        if (!own.includes("\ufffd")) expect(tokenizer === lower ? fold(slice) : slice).toContain(own);
      }
      expect(covered).toBe(text.length);
    }
  }
});

test("encodeBatch gives what encode gives", async () => {
  const batch = await plain.encodeBatch(TEXTS);
  for (const [i, text] of TEXTS.entries()) expect(batch[i]).toEqual(await plain.encode(text));
  expect(await plain.encodeIds(TEXTS)).toEqual(batch.map(({ ids }) => ids));
});

test("the end-of-sequence token is appended, and truncation keeps it", async () => {
  const { ids } = await plain.encode(TEXTS[0]!);
  expect([...(await plain.encodeForModel(TEXTS[0]!, 1000))]).toEqual([...ids, plain.eosId]);
  expect([...(await plain.encodeForModel(TEXTS[0]!, ids.length + 1))]).toEqual([...ids, plain.eosId]);
  expect([...(await plain.encodeForModel(TEXTS[0]!, 10))]).toEqual([...ids.subarray(0, 9), plain.eosId]);
  expect([...(await plain.encodeForModel(TEXTS[0]!, 1))]).toEqual([plain.eosId]);
  expect([...(await plain.encodeForModel("", 10))]).toEqual([plain.eosId]);
  await expect(plain.encodeForModel("x", 0)).rejects.toThrow("maxLength");
});

test("a huge text is cut before encoding, with the same first tokens", async () => {
  const dropping = await trainTokenizer(TEXTS, { vocabSize: 300, whitespace: "drop" });
  const rng = Rng.fromSeed(8);
  const long = [
    TEXTS.join("\n").repeat(30),
    "a".repeat(50_000),
    " ".repeat(50_000) + "end",
    randomText(rng).repeat(900),
  ];
  for (const tokenizer of [plain, lower, dropping]) {
    for (const text of long) {
      const { ids } = await tokenizer.encode(text);
      for (const length of [2, 17, 64]) {
        const kept = ids.subarray(0, length - 1);
        expect([...(await tokenizer.encodeForModel(text, length))]).toEqual([...kept, tokenizer.eosId]);
      }
    }
  }
}, 60_000);

test("special tokens written in a text are ordinary characters", async () => {
  const { ids } = await plain.encode("<svg><mask></mask><eos><pad>");
  expect([...ids].filter((id) => id < 3)).toEqual([]);
  expect(await plain.decode(ids)).toBe("<svg><mask></mask><eos><pad>");
  expect(await plain.decode([2, ...ids.subarray(0, 1), 1, 0])).toBe("<");
  expect(await plain.decode([2, ...ids.subarray(0, 1), 1, 0], { special: true })).toBe("<mask><<eos><pad>");
});

test("a saved tokenizer loads as the same one, from its folder and from its file", async () => {
  await split.save(folder);
  for (const path of [folder, join(folder, "tokenizer.json")]) {
    const loaded = await loadTokenizer(path);
    expect(loaded.hash).toBe(split.hash);
    expect(loaded).toMatchObject({ padId: 0, eosId: 1, maskId: 2, vocabSize: 400 });
    expect(await loaded.encode(TEXTS[1]!)).toEqual(await split.encode(TEXTS[1]!));
  }
});

test("a foreign tokenizer: names from its config, added tokens in the vocabulary, no mask token is said clearly", async () => {
  const json = JSON.parse(plain.source) as { added_tokens: { id: number; content: string; special: boolean }[] };
  const foreign = {
    ...json,
    truncation: { direction: "Right", max_length: 4, strategy: "LongestFirst", stride: 0 },
    added_tokens: [
      ...json.added_tokens.filter(({ id }) => id > 2),
      { ...json.added_tokens[0]!, id: 400, content: "<|end|>" },
      { ...json.added_tokens[0]!, id: 401, content: "    ", special: false },
    ],
  };
  const path = join(folder, "foreign.json");
  await writeFile(path, JSON.stringify(foreign).replaceAll('"<mask>":2,', '"<unused>":2,'));
  await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify({ eos_token: { content: "<|end|>" } }));
  const tokenizer = await loadTokenizer(path);
  expect(tokenizer.vocabSize).toBe(402);
  expect(tokenizer.eosId).toBe(400);
  expect([...(await tokenizer.encode("    x    y")).ids]).toContain(401);
  expect((await tokenizer.encode(TEXTS[0]!)).ids.length).toBeGreaterThan(4);
  expect([...(await tokenizer.encode("<|end|>")).ids]).not.toContain(400);
  expect(tokenizer.has("mask")).toBe(false);
  expect(() => tokenizer.maskId).toThrow(UserError);
  expect(() => tokenizer.maskId).toThrow(/foreign\.json: expected a mask token, got none/);
});

test("missing and broken files are named", async () => {
  const codeOf = (path: string): Promise<unknown> =>
    loadTokenizer(path).then(
      () => "loaded",
      (error: unknown) => (error instanceof UserError ? `${error.code} ${error.message}` : error),
    );
  expect(await codeOf(join(folder, "nowhere"))).toMatch(/^tokenizer\.missing .*nowhere.*ENOENT/);
  const broken = join(folder, "broken.json");
  for (const text of [
    "{",
    "[]",
    '{"model":{"type":"BPE"}}',
    '{"model":{"type":"BPE","vocab":{"a":"b"},"merges":[]}}',
  ]) {
    await writeFile(broken, text);
    expect(await codeOf(broken)).toMatch(/^tokenizer\.invalid .*broken\.json/);
  }
});

testWithPython("Python's tokenizers reads the file to the same ids, end-of-sequence token and offsets", async () => {
  const rng = Rng.fromSeed(9);
  const texts = [...Array.from({ length: 100 }, () => randomText(rng)), ...TEXTS];
  for (const tokenizer of [plain, split, lower]) {
    await tokenizer.save(folder);
    const script = `
import json, sys
from tokenizers import Tokenizer
t = Tokenizer.from_file(sys.argv[1])
print(json.dumps([[e.ids, e.offsets] for e in t.encode_batch(json.load(sys.stdin))]))`;
    const { stdout, stderr } = spawnSync(python!, ["-c", script, join(folder, "tokenizer.json")], {
      input: JSON.stringify(texts),
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    const theirs = JSON.parse(stdout) as [number[], [number, number][]][];
    for (const [i, text] of texts.entries()) {
      const [ids, offsets] = theirs[i]!;
      expect(ids).toEqual([...(await tokenizer.encodeForModel(text, 10_000))]);
      const characters = Array.from(text);
      const unit = (point: number): number => characters.slice(0, point).join("").length;
      const ours = (await tokenizer.encode(text)).offsets;
      expect([...ours]).toEqual(offsets.slice(0, -1).flatMap(([start, end]) => [unit(start), unit(end)]));
    }
  }
});
