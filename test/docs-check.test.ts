import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { agrees, anchorsOf, checkDocs, valueAt } from "../scripts/docs-check.js";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "lodestone-docs-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function check(files: Readonly<Record<string, string>>): Promise<string[]> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return checkDocs(root).problems.map(({ file, line, message }) => `${file}:${line}: ${message}`);
}

const RESULT = JSON.stringify({
  ratios: { "pytorch-fp32": 1.0836 },
  machine: { cpu: "Some CPU" },
  all: { MRR: 0.3346 },
});

test("a figure at the printed precision passes, and one that has moved is named with its line", async () => {
  const files = {
    "results/a.json": RESULT,
    "README.md": 'Speed [**1.08x**](results/a.json "ratios.pytorch-fp32") on [Some CPU](results/a.json "machine.cpu").',
    "docs/page.md": '# Page\n\n[33.5%](../results/a.json "all.MRR") and [0.335](../results/a.json "all.MRR")\n',
  };
  expect(await check(files)).toEqual([]);
  expect(checkDocs(root)).toMatchObject({ figures: 4, links: 4 });
  expect(await check({ "docs/page.md": '\n\n[0.336](../results/a.json "all.MRR")\n' })).toEqual([
    "docs/page.md:3: expected 0.3346 (../results/a.json, all.MRR), got 0.336",
  ]);
});

test("a place that is not there, and a file that is not JSON", async () => {
  const problems = await check({
    "results/a.json": RESULT,
    "results/b.json": "{",
    "README.md": '[1](results/a.json "all.MAP")\n[1](results/a.json "all")\n[1](results/b.json "x")',
  });
  expect(problems).toEqual([
    "README.md:1: results/a.json: expected a number or a text at all.MAP, got nothing",
    "README.md:2: results/a.json: expected a number or a text at all, got object",
    "README.md:3: results/b.json: expected JSON",
  ]);
});

test("broken links are errors, of Markdown and of HTML, and so are links out of the repository", async () => {
  const problems = await check({
    "README.md": [
      '[a](docs/a.md) [web](https://example.org/x) <img src="docs/none.svg"> ![p](p.png)',
      "[shared](../shared/x.md) [root](/etc/passwd)",
      "[top](docs/a.md#first-part) [wrong](docs/a.md#second) [here](#title)",
      "```",
      "[in a fence](nowhere.md)",
      "```",
      "`[in code](nowhere.md)`",
    ].join("\n"),
    "docs/a.md": "# First part\n",
  });
  expect(problems).toEqual([
    "README.md:1: p.png: expected a file, found none",
    "README.md:1: docs/none.svg: expected a file, found none",
    "README.md:2: ../shared/x.md: expected a relative link inside the repository",
    "README.md:2: /etc/passwd: expected a relative link inside the repository",
    "README.md:3: docs/a.md#second: expected a heading for #second",
    "README.md:3: #title: expected a heading for #title",
  ]);
});

test("places follow dots, and keys that have dots", () => {
  const data = { "logreg C=0.01": { macroF1: 0.5 }, "a.b": { c: 1 }, a: { b: { d: 2 } }, list: [3, 4] };
  expect(valueAt(data, "logreg C=0.01.macroF1")).toBe(0.5);
  expect(valueAt(data, "a.b.c")).toBe(1);
  expect(valueAt(data, "a.b.d")).toBe(2);
  expect(valueAt(data, "list.1")).toBe(4);
  expect(valueAt(data, "list.2")).toBeUndefined();
});

test.each([
  ["1.08", 1.0836, true],
  ["1.09", 1.0836, false],
  ["1.08x faster", 1.0836, true],
  ["1,234 pairs", 1234.4, true],
  ["1,235", 1234.4, false],
  ["33.5%", 0.3346, true],
  ["0.5", 0.45, true],
  ["-0.20", -0.2, true],
  ["\u22120.20", 0.2, false],
  ["about", 1, false],
  ["abc", "abc", true],
  ["abd", "abc", false],
])("%s prints %s: %s", (shown, value, expected) => {
  expect(agrees(shown, value)).toBe(expected);
});

test("anchors are GitHub's", () => {
  const anchors = anchorsOf(
    "# `base/`: What, and why?\n## Twice\n## Twice\n```\n# code\n```\n### Größe [a](b.md) ###\n",
  );
  expect([...anchors]).toEqual(["base-what-and-why", "twice", "twice-1", "größe-a"]);
});

test("this repository's own pages hold", () => {
  expect(checkDocs(fileURLToPath(new URL("..", import.meta.url))).problems).toEqual([]);
});
