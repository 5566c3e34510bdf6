import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Candidate } from "../store/store.js";
import { readQuery } from "../text/query.js";
import { WordScanner } from "../text/words.js";
import { FEATURES, featuresOf, ChunkReader, type Feature } from "./features.js";
import { orderByWeights, rank } from "./rank.js";

const scanner = new WordScanner();
const reader = new ChunkReader(scanner);

function candidate(path: string, name: string, more: Partial<Candidate["row"]> & { lexical?: number } = {}): Candidate {
  const { lexical = 1, ...row } = more;
  return {
    row: {
      ...{ id: 0, path, name, language: "python", generated: false, kind: "function" as const },
      ...{ startLine: 1, endLine: 9, scope: [] },
      ...row,
    },
    lexical,
    cosines: {},
  };
}
function values(query: string, ...candidates: Candidate[]): Record<Feature, number>[] {
  const all = featuresOf(readQuery(query, scanner), candidates, reader);
  return candidates.map((_, i) => {
    const entries = FEATURES.map((name, f) => [name, all[i * FEATURES.length + f]!]);
    return Object.fromEntries(entries) as Record<Feature, number>;
  });
}
const ordered = (query: string, ...candidates: Candidate[]): string[] =>
  rank(readQuery(query, scanner), candidates, { limit: 10, reader }).map(({ candidate: { row } }) => row.path);

test("every feature has a value", () => {
  const doc = candidate("docs/legacy/examples/vendor/CHANGES.d.ts", "Some Title", { kind: "doc", scope: ["Part"] });
  for (const one of values("Client.open some title", doc, candidate("index.ts", "open"))) {
    expect(Object.entries(one).filter(([, value]) => !Number.isFinite(value))).toEqual([]);
  }
  const source = readFileSync(new URL("./features.ts", import.meta.url), "utf8");
  for (const name of FEATURES) expect(source).toMatch(new RegExp(`AT\\.${name}\\] = |put\\(\\s*"${name}"`));
});

test("features by hand", () => {
  const [own, other] = values(
    "how are requests authenticated",
    candidate("app/auth/handler.py", "authenticateRequest", { scope: ["AuthMiddleware"], lexical: 4 }),
    candidate("tests/__init__.py", "x", { kind: "module", lexical: 2 }),
  );
  // Two words count: request, authentic. The name has them, and a third: itself.
  expect(own!.nameCover).toBeCloseTo(2 / 3, 10);
  expect(own).toMatchObject({ queryInName: 1, queryNearName: 1, lexicalTop: 1, lexicalPlace: 1 });
  expect(own).toMatchObject({ pathMatch: 0, queryInPath: 0.5, queryInScope: 0.5, isTest: 0, isBarrel: 0 });
  expect(other).toMatchObject({ lexicalTop: 0.5, lexicalPlace: 10 / 11, isTest: 1, isBarrel: 1, isModule: 1 });
  const [exact, folded] = values("Client", candidate("a.ts", "Client"), candidate("b.ts", "client"));
  expect([exact!.exactName, exact!.exactCase, folded!.exactName, folded!.exactCase]).toEqual([1, 1, 1, 0]);
});

test.each([
  ["CHANGELOG.md", "isLog"],
  ["docs/release-notes.md", "isLog"],
  ["lib/legacy/x.py", "isLegacy"],
  ["docs_src/a.py", "isExample"],
  ["single_include/json.hpp", "isVendored"],
  ["pkg/types.d.ts", "isTypes"],
  ["src/foo_test.go", "isTest"],
] as const)("%s is told by its path", (path, feature) => {
  expect(values("anything at all", candidate(path, "x"))[0]).toMatchObject({ [feature]: 1 });
  expect(values("anything at all", candidate("src/plain.py", "x"))[0]).toMatchObject({ [feature]: 0 });
});

test("a definition stands before its uses, code before its tests and its change log, unless they are asked for", () => {
  const use = candidate("src/main.py", "main", { lexical: 9 });
  expect(ordered("parse_date", use, candidate("src/date.py", "parse_date"))[0]).toBe("src/date.py");
  const code = candidate("src/retry.py", "retry_request", { lexical: 5 });
  const test = candidate("tests/test_retry.py", "test_retry_request", { lexical: 6 });
  const log = candidate("CHANGELOG.md", "1.2", { kind: "doc", lexical: 6 });
  expect(ordered("retry a failed request", code, test, log)[0]).toBe("src/retry.py");
  expect(ordered("test of retry request", code, test, log)[0]).toBe("tests/test_retry.py");
});

test("the order by hand: what its file's others add, and what each hit of one file takes away", () => {
  const score = (value: number): Float64Array =>
    Float64Array.from(FEATURES, (name) => (name === "lexical" ? value : 0));
  const items = [
    { path: "a", startLine: 1, values: score(3) },
    { path: "a", startLine: 5, values: score(2.9) },
    { path: "b", startLine: 1, values: score(2.8) },
  ];
  const weights = { symbol: {}, words: { lexical: 1 }, fileSupport: 0, sameFile: 0.5 };
  const order = orderByWeights(items, weights, "words", 3);
  expect(order.map(({ index }) => index)).toEqual([0, 2, 1]);
  expect(order.map(({ score }) => score)).toEqual([3, 2.8, 2.4]);
  // Mean 2.9: the first's neighbour gains nothing, the second's 0.1.
  const supported = orderByWeights(items, { ...weights, fileSupport: 1, sameFile: 0 }, "words", 3);
  expect(supported.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(supported[1]!.score).toBeCloseTo(2.9 + Math.log1p(0.1), 10);
});
