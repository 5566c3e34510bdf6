import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { largestDifference, noisyWeights, tinyConfig } from "../../test/helpers/encoders.js";
import { TEXTS } from "../../test/helpers/texts.js";
import { Rng } from "../base/index.js";
import { PieceEncoder, trainTokenizer } from "../tokenizer/index.js";
import { encoderFromState, memoryOf, simdOver, StaticEncoder } from "./index.js";

const CUT = { splitIdentifiers: true, lowercase: true, whitespace: "drop" } as const;
const SOURCES = ["encoder.ts", "static.ts", "load.ts"].map((name) =>
  readFileSync(new URL(name, import.meta.url), "utf8"),
);
const SAMPLES = [
  "",
  "x",
  "parseHTTPResponse2 of max_value(ABC, aB1234567)",
  "Ünïcode naïve façade()",
  "a\u0000b",
  `${"=".repeat(300)} ${"abc".repeat(400)} ${"é".repeat(9000)} ${"é=".repeat(900)} x\u00a0y \u3000 \u0085 a_ñb.c日本語x 日本 fooBärBaz12 ÄBc`,
  ...TEXTS,
  ...SOURCES,
];

test.each([
  { pooling: "weighted" },
  { pooling: "attention" },
  { pooling: "mean" },
  { pooling: "weighted", repetition: 0.5, positionDecay: 32 },
  { pooling: "mean", repetition: 0 },
] as const)("%o: the vectors of the ONNX graph", async (changes) => {
  for (const poolStates of ["residual", "final"] as const) {
    const tokenizer = await trainTokenizer([...TEXTS, ...SOURCES], { vocabSize: 400, ...CUT });
    const config = tinyConfig({ layers: 0, positions: false, ...changes, poolStates, maxLength: 64, width: 34 });
    const parts = { config, weights: noisyWeights(config), tokenizer };
    const graph = await encoderFromState(parts, { threads: 1 });
    const bag = new StaticEncoder(parts);
    expect(largestDifference(await bag.embedAll(SAMPLES), await graph.embedAll(SAMPLES))).toBeLessThan(1e-5);
    await graph.close();
  }
});

test.each([CUT, { ...CUT, lowercase: false }, { ...CUT, whitespace: "attach" } as const])(
  "pieces %o: the ids of the library, also cut short, also in a second call",
  async (cut) => {
    const tokenizer = await trainTokenizer([...TEXTS, ...SOURCES], { vocabSize: 500, ...cut });
    const pieces = new PieceEncoder(tokenizer);
    expect(pieces.fast).toBe(cut === CUT);
    for (const length of [1, 2, 7, 4096, 7]) {
      expect(await pieces.encode(SAMPLES, length)).toEqual(await tokenizer.encodeBatchByLibrary(SAMPLES, length));
    }
  },
);

test("pieces: random text of any characters gives the ids of the library, cut anywhere", async () => {
  const tokenizer = await trainTokenizer([...TEXTS, ...SOURCES], { vocabSize: 500, ...CUT });
  const rng = Rng.fromSeed(9);
  const some = [..." \t\n__aBcDEé日Ä9\u00a0\u3000\u0085\u200b\u0301İσΣ(=.\u{1f600}"];
  const texts = Array.from({ length: 400 }, () =>
    Array.from({ length: 1 + rng.int(80) }, () => some[rng.int(some.length)]!).join(""),
  );
  const pieces = new PieceEncoder(tokenizer);
  for (const length of [5, 17, 512]) {
    expect(await pieces.encode(texts, length)).toEqual(await tokenizer.encodeBatchByLibrary(texts, length));
  }
});

test("pieces: every character, in several places, gives the ids of the library", async () => {
  const tokenizer = await trainTokenizer([...TEXTS, ...SOURCES], { vocabSize: 500, ...CUT });
  const pieces = new PieceEncoder(tokenizer);
  const firsts = [0x80, 0x1f000, 0x1f800, 0x30000]; // The last are left to the library.
  for (let first = 0x800; first < 0x10000; first += 0x800) if (first !== 0xd800) firsts.push(first); // No halves.
  for (const first of firsts) {
    const some = Array.from({ length: 0x800 }, (_, i) => String.fromCodePoint(first + i));
    const texts = some.map((one) => `${one} a${one}B A${one}b 1${one}2 .${one}( ${one}${one}A`);
    const expected = await tokenizer.encodeBatchByLibrary(texts, 512);
    const got = await pieces.encode(texts, 512);
    expect(texts.filter((_, i) => Buffer.compare(bytesOf(got[i]!), bytesOf(expected[i]!)) !== 0)).toEqual([]);
  }
});

function bytesOf(ids: Int32Array): Buffer {
  return Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength);
}

test("pieces: the library is asked for what is long or may be read otherwise, and for nothing twice", async () => {
  const tokenizer = await trainTokenizer([...TEXTS, ...SOURCES], { vocabSize: 500, ...CUT });
  const asked: string[] = [];
  const pieces = new PieceEncoder({
    json: tokenizer.json,
    eosId: tokenizer.eosId,
    encodeIds: (texts) => (asked.push(...texts), tokenizer.encodeIds(texts)),
    encodeBatchByLibrary: () => Promise.reject(new Error("expected not to be asked for whole texts")),
  });
  const long = "=".repeat(1100);
  for (let turn = 0; turn < 2; turn++) {
    await pieces.encode(["parse(naïve_x, é.b) of", `${long} naïve \ufeffé ${"é".repeat(600)}`], 512);
  }
  expect(asked).toEqual([long, "\ufeffé", "é".repeat(600)]);
});

test("pieces: random ASCII gives the ids of the library", async () => {
  const tokenizer = await trainTokenizer([...TEXTS, ...SOURCES], { vocabSize: 500, ...CUT });
  const rng = Rng.fromSeed(4);
  const texts = Array.from({ length: 300 }, () =>
    Array.from({ length: 60 }, () => String.fromCharCode(rng.int(4) === 0 ? rng.int(128) : 64 + rng.int(60))).join(""),
  );
  expect(await new PieceEncoder(tokenizer).encode(texts, 512)).toEqual(
    await tokenizer.encodeBatchByLibrary(texts, 512),
  );
});

test("int8 dot products equal plain loops", () => {
  const [count, dim] = [7, 48];
  const memory = memoryOf(4096);
  const rng = Rng.fromSeed(1);
  const bytes = new Int8Array(memory.buffer);
  for (let i = 0; i < count * dim; i++) bytes[i] = rng.int(255) - 127;
  const query = new Int16Array(memory.buffer, count * dim, dim).map(() => rng.int(255) - 127);
  new Int16Array(memory.buffer, count * dim, dim).set(query);
  const scales = new Float32Array(memory.buffer, 1024, count).map((_, i) => i + 0.5);
  new Float32Array(memory.buffer, 1024, count).set(scales);
  simdOver(memory).dots(0, 1024, count, dim, count * dim, 2048);
  const expected = Array.from({ length: count }, (_, r) => {
    let sum = 0;
    for (let i = 0; i < dim; i++) sum += bytes[r * dim + i]! * query[i]!;
    return sum * scales[r]!;
  });
  expect([...new Float32Array(memory.buffer, 2048, count)]).toEqual(expected);
});
