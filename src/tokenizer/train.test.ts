import { expect, test } from "vitest";
import { UserError } from "../base/index.js";
import { TEXTS } from "../../test/helpers/texts.js";
import { trainTokenizer } from "./index.js";

interface Json {
  added_tokens: { id: number; content: string }[];
  model: { vocab: Record<string, number>; merges: [string, string][] };
}

async function failure(run: Promise<unknown>): Promise<UserError> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw new Error(`expected a UserError, got ${String(error)}`);
  return error;
}

test("merges worked by hand: the most frequent pair first", async () => {
  // Pieces: "abab" once, " abab" twice, " cd" once, "\n" once. ab: 6 times, then ab+ab: 3, then space+abab: 2.
  const tokenizer = await trainTokenizer(["abab abab abab cd"], { vocabSize: 262 });
  const json = JSON.parse(tokenizer.source) as Json;
  expect(json.model.merges).toEqual([
    ["a", "b"],
    ["ab", "ab"],
    ["Ġ", "abab"],
  ]);
  const { ids } = await tokenizer.encode("abab abab ab c");
  expect([...ids]).toEqual([260, 261, 3 + 0x20, 259, 3 + 0x20, 3 + 0x63]);
});

test("special tokens come first, then the 256 bytes in their order", async () => {
  const tokenizer = await trainTokenizer(["x"], { vocabSize: 259 });
  expect(tokenizer).toMatchObject({ vocabSize: 259, padId: 0, eosId: 1, maskId: 2 });
  expect([0, 1, 2].map((id) => tokenizer.tokenOf(id))).toEqual(["<pad>", "<eos>", "<mask>"]);
  const json = JSON.parse(tokenizer.source) as Json;
  expect(json.added_tokens.map(({ id, content }) => [id, content])).toEqual([
    [0, "<pad>"],
    [1, "<eos>"],
    [2, "<mask>"],
  ]);
  for (let byte = 0; byte < 128; byte++) {
    expect([...(await tokenizer.encode(String.fromCharCode(byte))).ids]).toEqual([3 + byte]);
  }
  expect([...(await tokenizer.encode("é😀")).ids]).toEqual([0xc3, 0xa9, 0xf0, 0x9f, 0x98, 0x80].map((b) => 3 + b));
});

test("a smaller vocabulary is a prefix of a larger one, and training is deterministic", async () => {
  const large = await trainTokenizer(TEXTS, { vocabSize: 420 });
  const small = await trainTokenizer(TEXTS, { vocabSize: 330 });
  const again = await trainTokenizer(TEXTS, { vocabSize: 420 });
  expect(again.hash).toBe(large.hash);
  const [a, b] = [large, small].map((tokenizer) => (JSON.parse(tokenizer.source) as Json).model);
  expect(a!.merges.slice(0, b!.merges.length)).toEqual(b!.merges);
  const byId = (vocab: Record<string, number>): [string, number][] => Object.entries(vocab).sort((x, y) => x[1] - y[1]);
  expect(byId(a!.vocab).slice(0, 330)).toEqual(byId(b!.vocab));
  expect(byId(a!.vocab).map(([, id]) => id)).toEqual(Array.from({ length: 420 }, (_, id) => id));
});

test("line feeds are learnt together with the indentation after them", async () => {
  const tokenizer = await trainTokenizer(TEXTS, { vocabSize: 420 });
  const { ids } = await tokenizer.encode(";\n  return");
  expect(ids.length).toBeLessThanOrEqual(3);
});

test("minFrequency cuts exactly where pairs become rare", async () => {
  const text = "aa aa aa aa bb bb bb cc cc dd"; // aa 4, bb 3, cc 2, dd 1, and " aa" 3, " bb" 3, " cc" 2, " dd" 1.
  for (const [minFrequency, available] of [
    [1, 8],
    [3, 4],
    [4, 1],
  ] as const) {
    expect((await trainTokenizer([text], { vocabSize: 259 + available, minFrequency })).vocabSize).toBe(
      259 + available,
    );
    const error = await failure(trainTokenizer([text], { vocabSize: 260 + available, minFrequency }));
    expect(error.code).toBe("tokenizer.vocabulary");
    expect(error.message).toContain(`expected text for ${260 + available} tokens, got enough for ${259 + available}`);
  }
});

test("no text and a vocabulary under the 259 fixed tokens are refused", async () => {
  expect((await failure(trainTokenizer([], { vocabSize: 300 }))).code).toBe("tokenizer.no-text");
  expect((await failure(trainTokenizer(["a"], { vocabSize: 258 }))).code).toBe("tokenizer.vocabulary");
});

test("splitIdentifiers cuts camelCase for training and encoding", async () => {
  const text = "getName HTTPServer urls_of2x";
  const cut = async (vocabSize: number, options: { lowercase?: boolean; whitespace?: "drop" }): Promise<string[]> => {
    // Every merge that the text can give, so that each piece is one token.
    const tokenizer = await trainTokenizer([text], { vocabSize, minFrequency: 1, splitIdentifiers: true, ...options });
    const { offsets } = await tokenizer.encode(text);
    return Array.from({ length: offsets.length / 2 }, (_, i) => text.slice(offsets[2 * i], offsets[2 * i + 1]));
  };
  const all = async (options: { lowercase?: boolean; whitespace?: "drop" }): Promise<string[]> => {
    const error = await failure(cut(1000, options));
    return cut(Number(/enough for (\d+)/.exec(error.message)?.[1]), options);
  };
  const pieces = ["get", "Name", " HTTP", "Server", " urls", "_", "of", "2", "x"];
  expect(await all({})).toEqual(pieces);
  expect(await all({ lowercase: true })).toEqual(pieces);
  const words = pieces.filter((piece) => piece !== "_").map((piece) => piece.trim());
  expect(await all({ lowercase: true, whitespace: "drop" })).toEqual(words);
});

test("an aborted training ends its process and says why", async () => {
  const controller = new AbortController();
  const run = trainTokenizer(TEXTS, { vocabSize: 300, signal: controller.signal });
  setTimeout(() => controller.abort(new Error("stopped by the test")), 50);
  await expect(run).rejects.toThrow("stopped by the test");
});
