import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Language } from "../base/index.js";
import { languageOfPath, loadLanguage, restore, summarise, type LanguageParser } from "./index.js";

/** Properties that hold on every real file: those of the packages that the quickstart reads, and our own source. */
const root = fileURLToPath(new URL("../../", import.meta.url));
const FOLDERS = [
  "node_modules/three/src",
  "node_modules/google-closure-library/closure",
  "node_modules/ol",
  "node_modules/@openui5/sap.m",
  "node_modules/@openui5/sap.ui.core",
  "node_modules/@cesium/engine/Source",
  "src",
];
const FILES_PER_FOLDER = 25;

function sample(folder: string): string[] {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => /\.[jt]s$/.test(path) && !/\.d\.ts$|\.min\.js$|node_modules|fixtures/.test(path))
    .sort();
  const step = Math.max(1, Math.floor(files.length / FILES_PER_FOLDER));
  return files.filter((_, i) => i % step === 0).map((path) => join(root, folder, path));
}

const words = (text: string): string => (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).join(" ");

describe.each(FOLDERS)("%s", (folder) => {
  test("functions, summaries and obfuscation", async () => {
    let functions = 0;
    let renamed = 0;
    for (const path of sample(folder)) {
      const text = readFileSync(path, "utf8");
      if (text.length > 200_000) continue;
      const language: Language = languageOfPath(path)!;
      const parser = await loadLanguage(language);
      functions += checkFunctions(parser, text, path);
      renamed += checkObfuscation(parser, text, path);
    }
    expect(functions).toBeGreaterThan(50);
    expect(renamed).toBeGreaterThan(500);
  });
});

function checkFunctions(parser: LanguageParser, text: string, path: string): number {
  const found = parser.extractFunctions(text);
  for (const { name, start, end, startLine, endLine, code, body, docstring, docSpan } of found) {
    const where = `${path}:${startLine} ${name}`;
    expect(text.slice(0, start).split("\n").length, where).toBe(startLine);
    expect(text.slice(0, end).split("\n").length, where).toBe(endLine);
    if (docSpan === undefined || docstring === undefined) {
      expect(code, where).toBe(text.slice(start, end));
      continue;
    }
    expect(words(text.slice(...docSpan)), where).toBe(words(docstring));
    // The documentation that the summary comes from is in neither form of the code.
    const comment = text.slice(...docSpan);
    expect(code.includes(comment) || body.includes(comment), where).toBe(false);
    const summary = summarise(docstring, parser.language);
    if ("summary" in summary) expect(summary.summary, where).not.toMatch(/^\s|\s$|\n|@param|https?:|<\/?p>/);
  }
  return found.length;
}

function checkObfuscation(parser: LanguageParser, text: string, path: string): number {
  const obfuscated = parser.obfuscate(text);
  expect(restore(obfuscated) === text, `${path}: undone exactly`).toBe(true);
  const errors = parser.countErrors(text);
  if (errors === 0) expect(parser.countErrors(obfuscated.text), `${path}: parses`).toBe(0);
  // Nothing outside the identifiers' spans changes, so neither do comments and strings.
  const spans = parser.identifiers(text).flatMap(({ spans }) => [...spans]);
  spans.sort((a, b) => a[0] - b[0]);
  let outside = "";
  let at = 0;
  for (const [start, end] of spans) {
    expect(text.slice(start, end), path).toMatch(/^[\p{L}_$][\p{L}\p{N}_$]*$/u);
    outside += text.slice(at, start) + " ";
    at = end;
  }
  outside += text.slice(at);
  const placeholders = Object.keys(obfuscated.map);
  const known = new Set(placeholders);
  const kept = obfuscated.text.replace(/(?<![\p{L}\p{N}_])[cfv]_\d+(?![\p{L}\p{N}_])/gu, (word) =>
    known.has(word) ? " " : word,
  );
  expect(kept === outside, `${path}: the rest stays`).toBe(true);
  return spans.length;
}
