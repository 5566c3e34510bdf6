import { expect, test } from "vitest";
import { loadLanguages } from "../../languages/index.js";
import type { CorpusPair } from "../../corpus/index.js";
import { showPair } from "../commands/corpus-sample.js";

await loadLanguages(["python", "go"]);

const pair = (lang: "python" | "go", name: string, code: string): CorpusPair => ({
  ...{
    id: "1",
    lang,
    summary: "Adds one.",
    docstring: "Adds one.",
    signature: "",
    name,
    kind: "function",
    code,
    body: "",
  },
  ...{ origin: "npm:x", version: "1", path: "a.x", licence: "MIT", startLine: 3, endLine: 5, split: "train" },
});

test("code is moved to the left edge, whatever it stood in", () => {
  const inner = "def add(self, a):\n        b = a\n        return b + 1";
  expect(showPair(pair("python", "add", inner), false)).toBe(
    "Adds one.\npython  npm:x  a.x:3\n\n    def add(self, a):\n        b = a\n        return b + 1\n\n",
  );
  const method = "\tfunc add() {\n\t\t\ta()\n\t\t}".trim();
  expect(showPair(pair("go", "add", method), false)).toContain("    func add() {\n    \ta()\n    }\n");
});

test("with colour the summary and the name stand out, comments step back, and nothing else changes", () => {
  const code = "def add(a): # one\n    add(a)\n    return a";
  const shown = showPair(pair("python", "add", code), true);
  expect(shown).toContain("\u001b[1mAdds one.\u001b[22m");
  expect(shown).toContain("def \u001b[1madd\u001b[22m(a): \u001b[2m# one\u001b[22m\n        add(a)");
  // eslint-disable-next-line no-control-regex -- the escapes themselves
  expect(shown.replace(/\u001b\[\d+m/g, "")).toBe(showPair(pair("python", "add", code), false));
});

test("long functions are cut and say by how much", () => {
  const code = ["def f():", ...Array.from({ length: 50 }, (_, i) => `    x${i}()`)].join("\n");
  expect(showPair(pair("python", "f", code), false)).toContain("    ... 11 more lines\n");
});
