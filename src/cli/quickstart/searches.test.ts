import { expect, test } from "vitest";
import type { CorpusPair } from "../../corpus/index.js";
import { exampleSearch, searchText } from "./searches.js";

const pair = (name: string, code = "code"): CorpusPair => ({
  id: name,
  lang: "javascript",
  summary: `What ${name} does.`,
  docstring: `What ${name} does.`,
  signature: `function ${name}()`,
  kind: "function",
  version: "",
  licence: "MIT",
  code,
  body: code,
  name,
  path: `src/${name}.js`,
  origin: "directory:ol",
  startLine: 7,
  endLine: 9,
  split: "test",
});
const PAIRS = ["a", "b", "c", "d"].map((name) => pair(name));

test("hits are the three best, best first, and know their own function", () => {
  const found = exampleSearch("q", Float32Array.of(0.1, 0.5, 0.25, 0.75), Float32Array.of(4, 3, 2, 1), PAIRS, 2);
  expect(found.hits.map(({ name, score, correct }) => [name, score, correct])).toEqual([
    ["d", 0.75, false],
    ["b", 0.5, false],
    ["c", 0.25, true],
  ]);
  expect(found.hits[0]!.place).toBe("ol/src/d.js:7");
  expect([found.rank, found.bm25Rank]).toEqual([3, 3]);
});

test("a tie never flatters, and equal hits keep the order of the pairs", () => {
  const found = exampleSearch("q", Float32Array.of(0.5, 0.5, 0.5, 0), new Float32Array(4), PAIRS, 0);
  expect([found.rank, found.bm25Rank]).toEqual([3, 4]);
  expect(found.hits.map(({ name }) => name)).toEqual(["a", "b", "c"]);
});

test("a question without an own function has no rank and marks nothing", () => {
  const found = exampleSearch("q", Float32Array.of(0.1, 0.5, 0.25, 0.75), new Float32Array(4), PAIRS, undefined);
  expect([found.rank, found.bm25Rank]).toEqual([null, null]);
  expect(found.hits.some(({ correct }) => correct)).toBe(false);
  expect(searchText(found)).not.toMatch(/rank|own function/);
});

test("long code is cut, and says so", () => {
  const codeOf = (lines: number): string[] => {
    const code = Array.from({ length: lines }, (_, i) => `line ${i + 1}`).join("\n");
    const found = exampleSearch("q", Float32Array.of(1), Float32Array.of(1), [pair("long", code)], 0);
    return found.hits[0]!.code.split("\n");
  };
  expect(codeOf(10)).toHaveLength(10);
  expect(codeOf(11).slice(-2)).toEqual(["line 10", "..."]);
});

test("the terminal's form", () => {
  const found = exampleSearch("find it", Float32Array.of(0.25, 0.5), Float32Array.of(2, 1), PAIRS.slice(0, 2), 0);
  expect(searchText(found)).toBe(
    [
      '"find it"   (its own function: rank 2; BM25 1)',
      "  0.500  b  ol/src/b.js:7",
      "  0.250  a  ol/src/a.js:7  <- its own function",
    ].join("\n"),
  );
});
