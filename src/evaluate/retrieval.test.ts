import { expect, test } from "vitest";
import {
  bm25,
  Bm25,
  codeWords,
  evaluateRetrieval,
  evaluateScores,
  evaluateSet,
  pairedSet,
  type RetrievalSet,
} from "./index.js";

/** One-hot vectors: a query meets exactly the documents that carry its number. */
function oneHot(numbers: readonly number[], width: number): Float32Array {
  const out = new Float32Array(numbers.length * width);
  numbers.forEach((n, row) => (out[row * width + n] = 3)); // Not unit vectors: the scorer normalises.
  return out;
}

function someSet(options: Partial<RetrievalSet> = {}): RetrievalSet {
  const text = (id: string, lang: string) => ({ id, lang, text: id });
  return {
    kind: "retrieval",
    name: "some",
    queries: [text("q0", "java"), text("q1", "go")],
    docs: [text("d0", "java"), text("d1", "go"), text("d2", "java"), text("d3", "go")],
    relevant: [Int32Array.of(0, 1), Int32Array.of(3)],
    excludeSelf: false,
    sameLangOnly: false,
    langMatrix: false,
    ...options,
  };
}

test("a perfect encoder scores 1, and an encoder that errs in one known place scores what that costs", async () => {
  const set = pairedSet(
    "pairs",
    ["a", "b", "c"].map((id) => ({ id, query: id, document: id })),
  );
  const perfect = await evaluateRetrieval(set, oneHot([0, 1, 2], 3), oneHot([0, 1, 2], 3));
  expect(perfect.report.all).toEqual({ MRR: 1, "MRR@10": 1, "NDCG@10": 1, "R@10": 1, "hit@1": 1, MAP: 1, n: 3 });
  expect(perfect.report["MRR@1000"]).toBe(1);
  // Query 2 looks like documents 0 and 1, not like its own, which therefore comes third: (1 + 1 + 1/3) / 3.
  const D = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
  const Q = Float32Array.of(1, 0, 0, 0, 1, 0, 1, 1, 0);
  const { report, perQuery } = await evaluateRetrieval(set, Q, D);
  expect(report.all.MRR).toBe(0.7778);
  expect(report.all["hit@1"]).toBe(0.6667);
  expect(perQuery.map(({ MRR }) => MRR)).toEqual([1, 1, 1 / 3]);
});

test("an encoder that tells nothing apart gets the permutation's ranks, not the file's order", async () => {
  // Places among equals of documents 0 .. 3 are numpy's RandomState(0).permutation(4) = [2, 3, 1, 0].
  const { perQuery } = await evaluateRetrieval(someSet(), new Float32Array(4), new Float32Array(8));
  expect(perQuery[0]).toMatchObject({ MRR: 1 / 3, MAP: (1 / 3 + 2 / 4) / 2 }); // documents 0 and 1 at ranks 3 and 4
  expect(perQuery[1]).toMatchObject({ MRR: 1 }); // document 3 at rank 1
});

test("same_lang_only keeps documents of other languages out", async () => {
  const scores = (_from: number, _to: number, out: Float32Array): void => {
    out.set([1, 9, 2, 9, 9, 9, 9, 8]); // q0: d1 and d3 (go) above all; q1: d0, d2 (java) above d3, d1 (go) too
  };
  const own = someSet({ sameLangOnly: true, relevant: [Int32Array.of(0), Int32Array.of(3)] });
  const { perQuery, report } = await evaluateScores(own, scores);
  expect(perQuery.map(({ MRR }) => MRR)).toEqual([0.5, 0.5]); // below d2 only; below d1 only
  expect(Object.keys(report.by_query_lang!)).toEqual(["go", "java"]);
  expect(report.macro_query_lang?.MRR).toBe(0.5);
  const open = await evaluateScores({ ...own, sameLangOnly: false }, scores);
  expect(open.perQuery.map(({ MRR }) => MRR)).toEqual([1 / 4, 1 / 4]);
});

test("exclude_self takes the query's own document away", async () => {
  const docs = someSet().docs;
  const set = someSet({
    queries: [docs[0]!, docs[1]!],
    relevant: [Int32Array.of(2), Int32Array.of(3)],
    excludeSelf: true,
  });
  const vectors = oneHot([0, 1, 0, 1], 2);
  const { perQuery } = await evaluateRetrieval(set, vectors.slice(0, 4), vectors);
  expect(perQuery.map(({ MRR }) => MRR)).toEqual([1, 1]);
});

test("lang_matrix ranks within each target language, and counts only large cross pairs in the mean", async () => {
  const scores = (_from: number, _to: number, out: Float32Array): void => out.set([1, 2, 3, 4, 0, 0, 0, 1]);
  const { report } = await evaluateScores(someSet({ langMatrix: true }), scores);
  // q0 (java): d0 is second of d0, d2; d1 second of d1, d3. q1 (go): d3 is first of d1, d3.
  expect(report.matrix_MAP).toEqual({ "go->go": [1, 1], "java->go": [0.5, 1], "java->java": [0.5, 1] });
  expect(report).not.toHaveProperty("mean_pair_MAP(n>=10,cross)");
  const many = Array.from({ length: 10 }, (_, i) => ({ id: `q${i}`, lang: "java", text: "" }));
  const large = someSet({ queries: many, relevant: many.map(() => Int32Array.of(1)), langMatrix: true });
  const evaluation = await evaluateScores(large, (from, to, out) => {
    for (let q = from; q < to; q++) out.set(q < 5 ? [0, 1, 0, 0] : [0, 0, 0, 1], (q - from) * 4);
  });
  expect(evaluation.report["mean_pair_MAP(n>=10,cross)"]).toBe(0.75);
});

test("vectors that do not fit the set are refused", async () => {
  await expect(evaluateRetrieval(someSet(), new Float32Array(6), new Float32Array(8))).rejects.toThrow(
    "some: expected 2 + 4 vectors of one width, got 6 + 8 numbers",
  );
});

test("an aborted evaluation stops", async () => {
  const signal = AbortSignal.abort(new Error("stop"));
  await expect(evaluateScores(someSet(), () => undefined, { signal })).rejects.toThrow("stop");
});

test("evaluateSet embeds every distinct text once, and documents as documents", async () => {
  const calls: [string, string][] = [];
  async function* embed(texts: readonly string[], side: string): AsyncGenerator<Float32Array> {
    for (const text of texts) {
      calls.push([side, text]);
      await Promise.resolve();
      yield Float32Array.of(Number(text.at(-1)) + 1, 1);
    }
  }
  const set = someSet({ queries: ["d0", "d0"].map((text, i) => ({ id: `q${i}`, text, lang: "" })) });
  const { report, baselines } = await evaluateSet({ set, embed, baseline: true });
  expect([baselines.bm25, baselines.hybrid].map((rows) => rows?.length)).toEqual([2, 2]);
  expect(calls).toEqual([
    ["query", "d0"],
    ["document", "d0"],
    ["document", "d1"],
    ["document", "d2"],
    ["document", "d3"],
  ]);
  expect(report).toMatchObject({
    set: "some",
    kind: "retrieval",
    all: { n: 2 },
    bm25: { all: { n: 2 } },
    hybrid: { all: { n: 2 } },
  });
  calls.length = 0;
  await evaluateSet({ set: { ...set, excludeSelf: true }, embed });
  expect(calls.map(([side]) => side)).toEqual(["document", "document", "document", "document"]);
});

test("BM25 by hand", () => {
  const split = (text: string) => text.split(" ");
  const index = new Bm25(["a b b", "b c", "c d e"], { k1: 1.2, b: 0.75, tokenize: split });
  // N = 3, mean length 8/3; b: df 2, idf ln(1 + 1.5 / 2.5); first document: tf 2, length 3.
  const idf = Math.log(1 + 1.5 / 2.5);
  const first = (idf * 2) / (2 + 1.2 * (0.25 + (0.75 * 3) / (8 / 3)));
  const second = (idf * 1) / (1 + 1.2 * (0.25 + (0.75 * 2) / (8 / 3)));
  const scores = index.scores("b x");
  expect(scores[0]).toBeCloseTo(first, 6);
  expect(scores[1]).toBeCloseTo(second, 6);
  expect(scores[2]).toBe(0);
});

test("vectors that are not finite are refused: nothing would rank above NaN", async () => {
  const set = pairedSet("two", [
    { id: "a", query: "a", document: "a" },
    { id: "b", query: "b", document: "b" },
  ]);
  const good = oneHot([0, 1], 2);
  const broken = Float32Array.of(1, 0, NaN, 0);
  await expect(evaluateRetrieval(set, broken, good)).rejects.toThrow(
    "two: queries: expected finite vectors, got NaN in row 1",
  );
  await expect(evaluateRetrieval(set, good, Float32Array.of(0, Infinity, 1, 0))).rejects.toThrow(
    "two: documents: expected finite vectors, got Infinity in row 0",
  );
});

test("BM25 finds names by their words", async () => {
  const set = pairedSet("code", [
    { id: "1", query: "parse the http responses", document: "function parseHttpResponse(r) { return r }" },
    { id: "2", query: "maximum of values", document: "def max_value(xs): return maximum(xs)" },
  ]);
  expect((await evaluateScores(set, bm25(set))).report.all.MRR).toBe(1);
});

test("words of code", () => {
  expect(codeWords("parseHTTPResponses2 of max_value")).toEqual([
    "pars",
    "http",
    "respons",
    "2",
    "parsehttpresponses2",
    "of",
    "max",
    "valu",
    "maxvalu",
  ]);
  expect(codeWords("Größe étés \u{1F600} 変数")).toEqual(["größ", "été", "変数"]);
  expect(codeWords("class pass entries parsing uses")).toEqual(["class", "pass", "entry", "pars", "us"]);
});
