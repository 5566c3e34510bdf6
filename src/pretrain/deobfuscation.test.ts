import { describe, expect, test } from "vitest";
import { Rng } from "../base/index.js";
import { maskIdentifiers, segmentTokens, type IdentifierSpans } from "./deobfuscation.js";
import { UNMASKED } from "./masking.js";

const rng = Rng.fromSeed(1);
const vocabulary = { maskId: 2, special: new Set([0, 1, 2]) };

/** Greedy pieces of at most three characters; GPT-like glue: `name(` and ` name` would be one token. */
const encode = (texts: readonly string[]): Promise<Int32Array[]> =>
  Promise.resolve(
    texts.map((text) =>
      Int32Array.from(text.match(/.{1,3}/gs) ?? [], (piece) => {
        let id = 3;
        for (const unit of piece) id = id * 131 + unit.charCodeAt(0);
        return id;
      }),
    ),
  );
const idsOf = async (text: string): Promise<number[]> => Array.from((await encode([text]))[0]!);

/** The slow obvious one: every place of a whole word. */
function occurrences(text: string, names: readonly string[]): IdentifierSpans[] {
  return names.map((name) => ({
    name,
    spans: Array.from(
      text.matchAll(new RegExp(`\\b${name}\\b`, "g")),
      (m) => [m.index, m.index + name.length] as const,
    ),
  }));
}

describe("segmentTokens", () => {
  test("identifiers alone, the rest between them alone", async () => {
    const text = "def area(r): # area\n  return r";
    // By hand: `area` at 4 and `r` at 9 and at the end; the comment's `area` is not an identifier.
    const spans: IdentifierSpans[] = [
      { name: "area", spans: [[4, 8]] },
      {
        name: "r",
        spans: [
          [9, 10],
          [29, 30],
        ],
      },
    ];
    const { ids, owner, identifiers } = await segmentTokens(text, spans, encode);
    const pieces = ["def ", "area", "(", "r", "): # area\n  return ", "r"];
    expect(Array.from(ids)).toEqual((await Promise.all(pieces.map(idsOf))).flat());
    // "def " is 2 tokens, "area" 2, "(" 1, "r" 1, the long gap 7 (19 characters), "r" 1.
    expect(Array.from(owner)).toEqual([-1, -1, 0, 0, -1, 1, -1, -1, -1, -1, -1, -1, -1, 1]);
    expect(identifiers).toBe(2);
  });

  test("without identifiers it is the text's own tokens; the empty text has none", async () => {
    expect((await segmentTokens("a(b)", [], encode)).ids).toEqual((await encode(["a(b)"]))[0]);
    expect(await segmentTokens("", [], encode)).toEqual({
      ids: new Int32Array(0),
      owner: new Int32Array(0),
      identifiers: 0,
    });
  });

  test("an identifier that the tokenizer drops has no number", async () => {
    const dropping = async (texts: readonly string[]): Promise<Int32Array[]> =>
      encode(texts.map((text) => text.replaceAll("_", "")));
    const spans: IdentifierSpans[] = [
      { name: "_", spans: [[0, 1]] },
      { name: "x", spans: [[4, 5]] },
    ];
    const { owner, identifiers } = await segmentTokens("_ = x", spans, dropping);
    expect(identifiers).toBe(1);
    expect(Array.from(owner)).toEqual([-1, 0]);
  });

  test("overlapping spans do not repeat text", async () => {
    const spans: IdentifierSpans[] = [
      { name: "abcd", spans: [[0, 4]] },
      { name: "cd", spans: [[2, 4]] },
    ];
    expect(Array.from((await segmentTokens("abcd", spans, encode)).ids)).toEqual(await idsOf("abcd"));
  });
});

describe("maskIdentifiers", () => {
  const text = "class Node { left; right; set(left, right) { this.left = left; this.right = right } } // left";
  const code = text.slice(0, text.indexOf("//"));
  const names = ["Node", "left", "right", "set"];

  test("an identifier's mask count is its token count, at every occurrence", async () => {
    const tokens = await segmentTokens(text, occurrences(code, names), encode);
    const masked = maskIdentifiers(tokens, 1, vocabulary, rng);
    // Node 2 tokens once, left 2 tokens four times, right 2 tokens four times, set 1 token once.
    expect(masked.count).toBe(2 + 4 * 2 + 4 * 2 + 1);
    expect(masked.input.map((id, i) => (masked.labels[i] === UNMASKED ? id : masked.labels[i]!))).toEqual(tokens.ids);
    expect(masked.labels.map((label, i) => (label === UNMASKED ? -1 : masked.input[i]!)).filter((x) => x >= 0)).toEqual(
      new Int32Array(masked.count).fill(2),
    );
    // The comment still shows its `left`.
    const comment = await idsOf(text.slice(code.lastIndexOf("right") + "right".length));
    expect(Array.from(masked.input.slice(-comment.length))).toEqual(comment);
  });

  test("a share masks whole identifiers, and as many as it says", async () => {
    const tokens = await segmentTokens(text, occurrences(code, names), encode);
    const seen = new Set<string>();
    for (let draw = 0; draw < 60; draw++) {
      const { labels } = maskIdentifiers(tokens, 0.5, vocabulary, rng.split(draw));
      const state = names.map((_, owner) => {
        const masked = new Set([...labels].filter((_, i) => tokens.owner[i] === owner).map((l) => l !== UNMASKED));
        expect(masked.size).toBe(1); // all occurrences or none
        return masked.has(true);
      });
      expect(state.filter(Boolean)).toHaveLength(2);
      seen.add(state.join());
    }
    expect(seen.size).toBe(6); // 4 choose 2: each pair comes up
  });

  test("at least one identifier is masked, and nothing where there is none", async () => {
    const tokens = await segmentTokens(text, occurrences(code, names), encode);
    for (let draw = 0; draw < 20; draw++) {
      expect(maskIdentifiers(tokens, 0.001, vocabulary, rng.split(draw)).count).toBeGreaterThan(0);
    }
    expect(maskIdentifiers(await segmentTokens("1 + 2", [], encode), 1, vocabulary, rng).count).toBe(0);
  });
});
