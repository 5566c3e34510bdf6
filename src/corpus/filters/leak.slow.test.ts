import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { languageOfPath, loadLanguages } from "../../languages/index.js";
import { excludedByText, extract } from "./index.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const FOLDERS = [
  "three/src",
  "google-closure-library/closure",
  "ol",
  "@openui5/sap.m",
  "@cesium/engine/Source",
  "mongodb/src",
];

beforeAll(() => loadLanguages(["javascript", "typescript"]));

/** An obvious reading of the rule, with nothing of ours: no comment or string of the code holds the whole summary. */
function says(code: string, summary: string): boolean {
  const plain = (text: string): string =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, " ")
      .trim();
  const needle = plain(summary);
  const quoted = code.match(/\/\*[^]*?\*\/|(?:\/\/.*\n\s*)+|"[^"\n]*"|'[^'\n]*'|`[^`]*`/g) ?? [];
  return needle.split(" ").length > 4 && quoted.some((text) => plain(text).includes(needle));
}

test.each(FOLDERS)("no pair of node_modules/%s says its summary", (folder) => {
  const files = readdirSync(join(root, "node_modules", folder), { recursive: true, encoding: "utf8" }).sort();
  const sources = files.filter((path) => /(?<!\.d|\.min)\.[jt]s$/.test(path));
  const step = Math.max(1, Math.floor(sources.length / 120));
  let pairs = 0;
  for (const path of sources.filter((_, i) => i % step === 0)) {
    const text = readFileSync(join(root, "node_modules", folder, path), "utf8");
    const language = languageOfPath(path)!;
    if (text.length > 300_000 || excludedByText(text, language) !== undefined) continue;
    for (const pair of extract(text, language, { minTokens: 3, maxTokens: 256 }).candidates) {
      pairs += 1;
      const where = `${path}:${pair.startLine} ${pair.name}: ${pair.summary}`;
      expect(says(pair.code, pair.summary) || says(pair.body, pair.summary), where).toBe(false);
      expect(pair.body.trim(), where).not.toBe("");
    }
  }
  expect(pairs).toBeGreaterThan(50);
});
