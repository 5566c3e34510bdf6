import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LANGUAGES, Rng, type Language } from "../base/index.js";
import { languageOfPath, loadLanguage } from "../languages/index.js";
import { loadTokenizer, trainTokenizer, type Tokenizer } from "../tokenizer/index.js";
import { maskIdentifiers, segmentTokens } from "./deobfuscation.js";
import { UNMASKED } from "./masking.js";

/** Masks token for token, on real files, against the slow and obvious way, for the tokenizers that people train and load. */
const root = fileURLToPath(new URL("../../", import.meta.url));

interface Source {
  readonly path: string;
  readonly language: Language;
  readonly text: string;
}
const sources: Source[] = [];
let folder: string;
const tokenizers = new Map<string, Tokenizer>();

const TRAINED = {
  "ours: split, folded, without white space": { splitIdentifiers: true, lowercase: true, whitespace: "drop" },
  "trained plain": {},
  "trained with folded case": { lowercase: true },
} as const;
const LOADED = "loaded, byte-level, nothing cut before its merges";
const PREFIXED = "loaded, a space put before every text";

function collect(): void {
  const fixtures = join(root, "src/languages/fixtures");
  for (const name of readdirSync(fixtures)) {
    const path = name.endsWith(".ts.txt") ? name.slice(0, -4) : name;
    const language = languageOfPath(path);
    if (language !== undefined) sources.push({ path, language, text: readFileSync(join(fixtures, name), "utf8") });
  }
  for (const [under, step] of [
    ["node_modules/three/src", 60],
    ["node_modules/@cesium/engine/Source/Core", 40],
    ["src", 40],
  ] as const) {
    const files = readdirSync(join(root, under), { recursive: true, encoding: "utf8" }).sort();
    const code = files.filter((path) => /\.[jt]s$/.test(path) && !/\.d\.ts$|test|fixtures/.test(path));
    for (const path of code.filter((_, i) => i % step === 0)) {
      const text = readFileSync(join(root, under, path), "utf8");
      if (text.length < 30_000) sources.push({ path, language: languageOfPath(path)!, text });
    }
  }
}

beforeAll(async () => {
  collect();
  folder = await mkdtemp(join(tmpdir(), "lodestone-masks-"));
  const texts = sources.map(({ text }) => text);
  for (const [name, options] of Object.entries(TRAINED)) {
    tokenizers.set(name, await trainTokenizer(texts, { vocabSize: 800, ...options }));
  }
  await writeFile(
    join(folder, "tokenizer.json"),
    JSON.stringify(uncutTokenizer(texts.join("\n").slice(0, 30_000), 250)),
  );
  tokenizers.set(LOADED, await loadTokenizer(folder));
  const prefixed = JSON.parse(await readFile(join(folder, "tokenizer.json"), "utf8")) as Record<string, unknown>;
  prefixed["pre_tokenizer"] = { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true };
  await writeFile(join(folder, "prefixed.json"), JSON.stringify(prefixed));
  tokenizers.set(PREFIXED, await loadTokenizer(join(folder, "prefixed.json")));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("the files are of every language", () => {
  expect(new Set(sources.map(({ language }) => language))).toEqual(new Set(LANGUAGES));
  expect(sources.length).toBeGreaterThan(20);
});

test("the loaded tokenizer would merge names with their neighbours", async () => {
  const tokenizer = tokenizers.get(LOADED)!;
  const [whole, name, bracket] = await tokenizer.encodeIds(["this.", "this", "."]);
  expect(whole!.length).toBeLessThan(name!.length + bracket!.length);
});

describe.each([...Object.keys(TRAINED), LOADED, PREFIXED])("%s", (name) => {
  test("every occurrence becomes exactly its own tokens, and nothing else is masked", async () => {
    const tokenizer = tokenizers.get(name)!;
    const special = new Set([tokenizer.padId, tokenizer.eosId, tokenizer.maskId]);
    let masks = 0;
    for (const { path, language, text } of sources) {
      const found = (await loadLanguage(language)).identifiers(text);
      const tokens = await segmentTokens(text, found, (pieces) => tokenizer.encodeIds(pieces));
      const slow = await slowMasks(text, found, tokenizer);
      const masked = maskIdentifiers(tokens, 1, { maskId: tokenizer.maskId, special }, Rng.fromSeed(1));
      expect(Array.from(masked.input), path).toEqual(slow.input);
      expect(Array.from(masked.labels), path).toEqual(slow.labels);
      masks += masked.count;
    }
    expect(masks).toBeGreaterThan(1000);
  });
});

/** Character by character, one piece after the other, each asked for on its own; nothing is remembered. */
async function slowMasks(
  text: string,
  found: readonly { readonly spans: readonly (readonly [number, number])[] }[],
  tokenizer: Tokenizer,
): Promise<{ input: number[]; labels: number[] }> {
  const startAt = new Map<number, number>();
  for (const { spans } of found) for (const [start, end] of spans) startAt.set(start, end);
  const input: number[] = [];
  const labels: number[] = [];
  const add = async (piece: string, isName: boolean): Promise<void> => {
    if (piece === "") return;
    for (const id of (await tokenizer.encode(piece)).ids) {
      input.push(isName ? tokenizer.maskId : id);
      labels.push(isName ? id : UNMASKED);
    }
  };
  let gap = "";
  for (let at = 0; at < text.length;) {
    const end = startAt.get(at);
    if (end === undefined) {
      gap += text[at];
      at += 1;
      continue;
    }
    await add(gap, false);
    gap = "";
    await add(text.slice(at, end), true);
    at = end;
  }
  await add(gap, false);
  return { input, labels };
}

/** A byte-level BPE whose merges cross every border: it learns `this.` and `, function (`. Made without our trainer. */
function uncutTokenizer(text: string, merges: number): unknown {
  const symbols = byteSymbols();
  let pieces = Array.from(Buffer.from(text, "utf8"), (byte) => symbols[byte]!);
  const vocab = new Map([...symbols].sort().map((symbol, id) => [symbol, id]));
  const learnt: [string, string][] = [];
  for (let step = 0; step < merges; step++) {
    const counts = new Map<string, number>();
    for (let i = 1; i < pieces.length; i++) {
      const pair = `${pieces[i - 1]!}\t${pieces[i]!}`;
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
    let best = "";
    for (const [pair, count] of counts) if (count > (counts.get(best) ?? 0)) best = pair;
    const [left, right] = best.split("\t") as [string, string];
    learnt.push([left, right]);
    if (!vocab.has(left + right)) vocab.set(left + right, vocab.size);
    const merged: string[] = [];
    for (let i = 0; i < pieces.length; i++) {
      if (pieces[i] === left && pieces[i + 1] === right) {
        merged.push(left + right);
        i += 1;
      } else merged.push(pieces[i]!);
    }
    pieces = merged;
  }
  const added = ["<|endoftext|>", "<mask>", "<pad>"].map((content, i) => ({
    id: vocab.size + i,
    content,
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  }));
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(vocab),
      merges: learnt,
    },
  };
}

/** GPT-2's printable character for each byte: itself where it is printable, else one from U+0100 on. */
function byteSymbols(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCodePoint(printable ? byte : next++);
  });
}
