import { expect } from "vitest";
import { renderReport, type QuickstartReport } from "../src/cli/quickstart/report.js";
import { temporaryFolder } from "./helpers/cli.js";
import { contrast, luminance, openPage, undefinedColours, type Seen } from "./helpers/page.js";
import { testWithChromium } from "./helpers/requires.js";

const temporary = await temporaryFolder("report");

/** Code that would act if any of it became markup. */
const HOSTILE = [
  `<script>document.documentElement.dataset.acted = "script"</script>`,
  `</pre><img src="http://127.0.0.1:9/x.png" onerror="document.documentElement.dataset.acted = 'image'">`,
  `const quotes = "double" + 'single' + \`back\` + "&amp; &lt;";`,
  `// naïve 検索 🔍 \u202e <!-- ]]>`,
].join("\n");
const LONG_NAME = "getCenterCoordinatesOfTheTransformedProjectionExtentInPixels";

const hit = (name: string, code: string, correct: boolean) => ({
  name,
  place: `ol/source/a/very/long/path/that/has/no/blank/in/it/${name}.js:1201`,
  code,
  score: 0.625,
  correct,
});
const REPORT: QuickstartReport = {
  seconds: 299.6,
  pairs: 1873,
  mrr: { untrained: 0.0451, stage1: 0.0722, stage2: 0.4133, bm25: 0.3894 },
  phases: { corpus: 40.2, tokenizer: 12, "stage 1": 98.3, "stage 2": 120.1, evaluation: 29 },
  corpus: {
    documents: 4000,
    functions: 50_000,
    trainingPairs: 20_000,
    packages: ["three", "tone", "@lumino/widgets"],
    heldOutPackages: ["ol", "mongodb"],
  },
  model: { name: "quickstart", parameters: 2_500_000, layers: 2, width: 192, vocabSize: 8192 },
  stage1: [
    { step: 60, tokens: 245_760, lossR: 8.5, lossD: null },
    { step: 120, tokens: 491_520, lossR: 5.5, lossD: 6.5 },
  ],
  stage2: [
    { step: 75, loss: 4.5, accuracy: 0.2 },
    { step: 150, loss: 3.2, accuracy: 0.4 },
  ],
  examples: [
    { query: `where is "<b>it</b>"?`, rank: null, bm25Rank: null, hits: [hit("a", HOSTILE, false)] },
    {
      query: "Compute the centre of an extent.",
      rank: 2,
      bm25Rank: 17,
      hits: [hit(LONG_NAME, "x".repeat(300), false), hit("centre", "return 1;", true)],
    },
  ],
  machine: { cpu: "Some <Processor>", threads: 2, node: "v20.0.0", os: "linux 6.1" },
  seed: 7,
};

const open = (html: string, width: number, dark: boolean): Promise<Seen> => openPage(temporary, html, width, dark);

testWithChromium("the page shows its figures, loads nothing, and code in it stays text", async () => {
  const html = renderReport(REPORT);
  expect(html).not.toMatch(/<(?:script|link|img|iframe)\b|@import|url\(|\bon\w+="/i);
  const seen = await open(html, 1280, false);
  expect(seen.headings).toEqual([
    "A code encoder, trained on this machine in 5 min 0 s",
    "Searches in packages it has never seen",
    `where is "<b>it</b>"?`,
    "Compute the centre of an extent.",
  ]);
  expect(seen.captions).toEqual([
    "Mean reciprocal rank, summary to function",
    "Stage 1: loss at masked positions (nats)random masksdeobfuscation",
    "Stage 2: contrastive loss (nats)",
    "Stage 2: in-batch accuracy",
    "Where the time went",
  ]);
  for (const [label, figure] of Object.entries({
    untrained: "0.045",
    "after stage 1": "0.072",
    "after stage 2": "0.413",
    BM25: "0.389",
  })) {
    expect(seen.text.split(/\s*\n\s*/).join(" ")).toContain(`${label} ${figure}`);
  }
  expect(seen.text).toContain("1,873 functions of ol and mongodb");
  expect(seen.text).toContain("rank 2 here, rank 17 for BM25");
  expect(seen.text).toContain("Some <Processor>");
  expect(seen.marked).toEqual(["centre"]);
  expect(seen.code).toEqual([HOSTILE, "x".repeat(300), "return 1;"]);
  expect([seen.active, seen.acted, seen.requests]).toEqual([0, null, []]);
});

testWithChromium("nothing is cut or covered at any width", async () => {
  const html = renderReport(REPORT);
  for (const width of [360, 400, 700, 1280]) {
    const { overflow, collisions } = await open(html, width, false);
    expect([width, overflow, collisions]).toEqual([width, 0, []]);
  }
});

testWithChromium("both colour schemes are whole: every colour used is defined, text stands out", async () => {
  const html = renderReport(REPORT);
  expect(undefinedColours(html)).toEqual({ light: [], dark: [] });
  for (const isDark of [false, true]) {
    const { background, foreground } = await open(html, 800, isDark);
    expect(contrast(background, foreground)).toBeGreaterThan(7);
    expect(luminance(background) < 0.5).toBe(isDark);
  }
});
