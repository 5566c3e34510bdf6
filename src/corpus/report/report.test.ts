import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { countPieces, pieces } from "./_pieces.js";
import { OverlapTally } from "./_overlap.js";
import { LengthTally, NameTally } from "./_tally.js";
import { splitOf } from "./_language-tally.js";
import { precisionByLanguage, precisionOf, readMarks } from "./index.js";

const folder = await mkdtemp(join(tmpdir(), "lodestone-report-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

test("words are cut at case and marks stay together", () => {
  expect(pieces("parseHTTPHeader(x_1) != 0")).toEqual([
    ...["parse", "HTTP", "Header", "(", "x", "_", "1", ")", "!=", "0"],
  ]);
  expect(pieces("naïve 12345 検索;")).toEqual(["naïve", "123", "45", "検索", ";"]);
  expect(countPieces("a b\n\tc += 1;")).toBe(6);
});

test("lengths: mean, median, 95% and doubling bins, worked by hand", () => {
  const tally = new LengthTally();
  for (const length of [1, 2, 3, 4, 100_000]) tally.add(length);
  const { count, mean, median, p95, bins } = tally.summary();
  expect([count, mean, median, p95]).toEqual([5, 20_002, 3, 65_536]);
  expect(bins.filter((bin) => bin.count > 0)).toEqual([
    { from: 1, count: 1 },
    { from: 2, count: 2 },
    { from: 4, count: 1 },
    { from: 65_536, count: 1 },
  ]);
});

test("names: order by count, and the frequent ones survive a flood", () => {
  const tally = new NameTally(() => ({ pairs: 0 }), 10);
  for (let i = 0; i < 1000; i++) {
    tally.of("big").pairs += 1;
    tally.of(`rare-${i}`).pairs += 1;
  }
  expect(tally.size).toBeLessThanOrEqual(10);
  expect(tally.exact).toBe(false);
  expect(tally.sorted("pairs")[0]).toEqual({ name: "big", counts: { pairs: 1000 } });
});

test("the paper's shares of tokens, from round numbers", () => {
  const tokens = { identifier: 30, keyword: 10, operator: 20, string: 20, number: 10, comment: 10 };
  const split = splitOf(1, tokens, tokens);
  expect([split.codeShare, split.identifiersOfCode, split.literalShare, split.textOfLiterals]).toEqual([
    0.6, 0.5, 0.4, 0.75,
  ]);
});

test("overlap counts tokens of the code that the text says, whatever their case", () => {
  const tally = new OverlapTally();
  tally.add({
    signature: "int readFile(Path p)", // int read File ( Path p ): 7 tokens, 5 words
    body: "open(p);", // open ( p ) ;: 5 tokens, 2 words
    summary: "Read a file (fully)", // 3 of the signature's words, and both brackets
    docstring: "Read a file at some path. Opens P.",
  });
  const { tokens, words } = tally.summary();
  expect(tokens.summary.signature).toBeCloseTo(4 / 7); // read, File, (, )
  expect(tokens.summary.body).toBeCloseTo(2 / 5); // ( and )
  expect(words.summary).toEqual({ signature: 2 / 5, body: 0 });
  expect(words.docstring).toEqual({ signature: 4 / 5, body: 1 / 2 });
});

describe("precision", () => {
  test("Wilson's interval agrees with published values", () => {
    // Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611.
    const { low, high } = precisionOf(81, 263);
    expect([low.toFixed(4), high.toFixed(4)]).toEqual(["0.2553", "0.3662"]);
    const none = precisionOf(0, 20);
    expect([none.low, none.high.toFixed(4)]).toEqual([0, "0.1611"]);
  });

  test("is taken by language over marked pairs, the last mark of a pair counts", async () => {
    const line = (lang: string, id: string, mark: string) =>
      JSON.stringify({ seed: 1, lang, id, summary: "s", code: "c", mark, reason: "" });
    const path = join(folder, "marks.jsonl");
    const lines = [
      line("go", "1", "keep"),
      line("go", "2", "wrong"),
      line("go", "2", "keep"),
      line("go", "3", "wrong"),
      line("go", "4", ""),
      line("c", "1", ""),
    ];
    await writeFile(path, lines.join("\n"));
    const found = await precisionByLanguage(readMarks(path));
    expect([...found.keys()]).toEqual(["go"]);
    expect([found.get("go")!.kept, found.get("go")!.marked]).toEqual([2, 3]);
  });

  test("a mark that is none is told with its place", async () => {
    const path = join(folder, "wrong.jsonl");
    await writeFile(path, '{"seed":1,"lang":"go","id":"1","summary":"s","code":"c","mark":"good"}\n');
    await expect(precisionByLanguage(readMarks(path))).rejects.toThrow(
      /wrong\.jsonl: expected a mark in record 1.*mark/,
    );
  });
});
