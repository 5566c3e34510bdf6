import { expect } from "vitest";
import { renderAudit } from "../src/cli/corpus-report/audit-page.js";
import { renderStats } from "../src/cli/corpus-report/stats-page.js";
import type { AuditMark, CorpusStats, LanguageStats, Lengths } from "../src/corpus/index.js";
import { temporaryFolder } from "./helpers/cli.js";
import { contrast, luminance, openPage, undefinedColours } from "./helpers/page.js";
import { testWithChromium } from "./helpers/requires.js";

const temporary = await temporaryFolder("corpus-pages");

/** Code that would act if any of it became markup. */
const HOSTILE = [
  `<script>document.documentElement.dataset.acted = "script"</script>`,
  `</script></pre><img src="http://127.0.0.1:9/x.png" onerror="document.documentElement.dataset.acted = 'image'">`,
  `// naïve 検索 🔍 \u202e <!-- ]]> \u2028 "quotes" 'single'`,
].join("\n");

const lengths = (bins: readonly number[]): Lengths => ({
  count: bins.reduce((sum, one) => sum + one, 0),
  mean: 12.5,
  median: 12,
  p95: 1234,
  bins: bins.map((count, i) => ({ from: 2 ** i, count })),
});
const kinds = { identifier: 40, keyword: 5, operator: 25, string: 10, number: 5, comment: 15 };
const share = { signature: 0.123, body: 0.116 };
const language = (pairs: number, precision: number | null): LanguageStats => ({
  ...{ files: 1200, functions: 45_678, withDocstring: 23_456, withSummary: 20_000, documents: 1100, pairs },
  characters: 12_345_678,
  bodyIsReturn: 120,
  pairsBySplit: { train: pairs - 20, validation: 10, test: 10 },
  documentsBySplit: { train: 1080, validation: 10, test: 10 },
  dropped: { "no-docstring": 22_222, templated: 3 },
  precision,
  audit: precision === null ? null : { marked: 200, kept: 200 * precision, precision, low: 0.94, high: 0.989 },
  tokens: {
    ...{ documents: 1000, tokens: kinds, characters: kinds },
    ...{ codeShare: 0.7, identifiersOfCode: 0.571, literalShare: 0.3, textOfLiterals: 0.833 },
  },
  overlap: { tokens: { summary: share, docstring: share }, words: { summary: share, docstring: share } },
  lengths: {
    summary: lengths([1, 30, 200, 400, 90, 4]),
    docstring: lengths([0, 10, 20, 300, 200, 100, 60, 20, 3]),
    code: lengths([0, 0, 0, 5, 80, 200, 300, 200, 100, 30, 9, 1]),
    body: lengths([0, 0, 5, 80, 200, 300, 200, 100, 30, 9, 1]),
    lines: lengths([0, 20, 80, 60, 30, 10, 2]),
    document: lengths([]),
  },
  origins: {
    count: 57,
    top: [{ origin: "npm:@a-very/long-package-name-without-any-blank-in-it-at-all", pairs: 800, share: 0.381 }],
    largestShare: 0.381,
  },
});
const STATS: CorpusStats = {
  ...{ format: "lodestone-corpus-stats", version: 1, functions: 91_356, pairs: 3_100, documents: 2200 },
  splits: {
    train: { documents: 2160, pairs: 3060 },
    validation: { documents: 20, pairs: 20 },
    test: { documents: 20, pairs: 20 },
  },
  languages: { python: language(2100, 0.975), typescript: language(1000, null) },
  dropped: [
    {
      ...{ rule: "templated", of: "functions", total: 6, languages: { python: 3, typescript: 3 } },
      samples: [
        {
          origin: "npm:x",
          path: "a/b.ts",
          startLine: 7,
          name: "f<T>",
          docstring: "Creates a <b>new</b> one.",
          text: HOSTILE,
        },
      ],
    },
    { rule: "minified", of: "files", total: 12, languages: {}, samples: [] },
  ],
  licences: [{ licence: "Apache-2.0 OR MIT", documents: 2200, pairs: 3100 }],
  excluded: [{ set: "cosqa-dev", texts: 6268, functions: 3, pairs: 2, documents: 1 }],
  sources: { count: 114, top: [{ origin: "npm:x", documents: 3, pairs: 5, characters: 1_230_000 }] },
};

testWithChromium("statistics: figures are shown, code stays text, nothing is loaded", async () => {
  const html = renderStats(STATS, "nine<languages>");
  expect(html).not.toMatch(/<(?:script|link|img|iframe)\b|@import|url\(|\bon\w+="/i);
  const seen = await openPage(temporary, html, 1280, false);
  expect(seen.headings).toEqual([
    "3,100 pairs from 91,356 functions",
    ...["From files to pairs", "Splits", "What tokens are", "How much of the code its documentation says"],
    ...["Each language: lengths and origins", "What was dropped, and samples of it", "Evaluation sets kept out"],
    ...["Licences", "Sources by size"],
  ]);
  const text = seen.text.split(/\s+/).join(" ");
  expect(text).toContain(
    "python 1,200 45,678 23,456 20,000 1,100 2,100 4.6% 38.1% npm:@a-very/long-package-name-without-any-blank-in-it-at-all 97.5% (94.0% to 98.9%; 200 read)",
  );
  expect(text).toContain("Stack-Python, in the paper 57.8% 53.8% 42.2% 92.9%");
  expect(text).toContain("python 70.0% 57.1% 30.0% 83.3% 1,000");
  expect(text).toContain("npm:x 1.23 MB 3 5");
  expect(seen.code).toEqual([HOSTILE]);
  expect([seen.active, seen.acted, seen.requests]).toEqual([0, null, []]);
});

testWithChromium("statistics: whole at any width and in both colour schemes", async () => {
  const html = renderStats(STATS, "corpus").replaceAll("<details>", "<details open>");
  expect(undefinedColours(html)).toEqual({ light: [], dark: [] });
  for (const [width, dark] of [
    [360, true],
    [1280, false],
  ] as const) {
    // prettier-ignore
    const { collisions, background, foreground, pageOverflow } = await openPage(temporary, html, width, dark);
    expect([width, pageOverflow, collisions]).toEqual([width, 0, []]);
    expect(contrast(background, foreground)).toBeGreaterThan(7);
    expect(luminance(background) < 0.5).toBe(dark);
  }
});

/** What `audit-probe.js` finds. */
interface AuditSeen {
  readonly steps: readonly { place: string; summary: string; code: string; tally: string }[];
  readonly focused: string;
  readonly again: string;
  readonly stored: Readonly<Record<string, string>>;
  readonly exported: string;
  readonly acted: string | null;
  readonly requests: readonly string[];
  readonly labels: readonly string[];
  readonly overflow: number;
}

const sample = (lang: AuditMark["lang"], id: string, code: string): AuditMark => ({
  ...{ seed: 7, lang, id, origin: "npm:x", path: "a.js", startLine: 3, name: "f", summary: `Does <b>${id}</b>.`, code },
  ...{ mark: "", reason: "" },
});

testWithChromium("audit: keys mark and move, marks are kept and exported, code stays text", async () => {
  const samples = [sample("c", "one", HOSTILE), sample("c", "two", "2"), sample("go", "three", "3")];
  const html = renderAudit(samples, "corpus 12345678, seed 7");
  const seen = await openPage<AuditSeen>(temporary, html, 400, true, "audit-probe.js");
  expect(seen.steps.map(({ place, summary }) => [place, summary])).toEqual([
    ["c 1 of 2", "Does <b>one</b>."],
    ["c 2 of 2", "Does <b>two</b>."],
    ["go 1 of 1", "Does <b>three</b>."],
    ["go 1 of 1", "Does <b>three</b>."],
  ]);
  expect(seen.steps[0]!.code).toBe(HOSTILE);
  expect(seen.steps.at(-1)!.tally).toBe("c 2/2, 50% keptgo 0/1");
  expect([seen.focused, seen.again]).toEqual(["reason", "wrong"]);
  expect(Object.keys(seen.stored)).toEqual(["lodestone-audit:corpus 12345678, seed 7"]);
  expect(JSON.parse(Object.values(seen.stored)[0]!)).toEqual({
    "c/one": { mark: "keep", reason: "" },
    "c/two": { mark: "wrong", reason: "describes its caller" },
  });
  const lines = seen.exported.trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line) as AuditMark)).toEqual([
    { ...samples[0], mark: "keep" },
    { ...samples[1], mark: "wrong", reason: "describes its caller" },
    samples[2],
  ]);
  expect([seen.acted, seen.requests, seen.overflow]).toEqual([null, [], 0]);
  expect(seen.labels.every((label) => label !== "")).toBe(true);
  expect(undefinedColours(html)).toEqual({ light: [], dark: [] });
});
