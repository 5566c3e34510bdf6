import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { LANGUAGES, type Language } from "../base/index.js";
import { functionsOf, outlineOf } from "./_functions.js";
import { loadGrammar } from "./_grammar.js";
import { SyntaxTree } from "./_tree.js";
import { languageOfPath } from "./index.js";
import { PROFILES } from "./profiles/index.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const FOLDERS = [
  "node_modules/three/src",
  "node_modules/google-closure-library/closure",
  "node_modules/mongodb/src",
  "src",
];

async function same(text: string, language: Language, where: string): Promise<number> {
  const profile = PROFILES[language];
  const parser = await loadGrammar(profile.grammar);
  const outline = SyntaxTree.parse(parser, text, outlineOf(profile));
  const whole = SyntaxTree.parse(parser, text);
  expect(outline.size, where).toBeLessThanOrEqual(whole.size);
  expect(outline.errors.length, where).toBe(whole.errors.length);
  const found = functionsOf(outline, profile);
  expect(found, where).toEqual(functionsOf(whole, profile));
  return found.length;
}

test("functions of an outline are those of the whole tree, on fixtures and cut-off fixtures", async () => {
  for (const language of LANGUAGES) {
    const folder = fileURLToPath(new URL("./fixtures/", import.meta.url));
    const file = readdirSync(folder).find((name) => name.startsWith(`${language}.`) && !name.endsWith(".json"))!;
    const text = readFileSync(join(folder, file), "utf8");
    expect(await same(text, language, file)).toBeGreaterThan(3);
    for (let cut = 50; cut < text.length; cut += 137) await same(text.slice(0, cut), language, `${file} ${cut}`);
  }
});

test.each(FOLDERS)("the same holds on %s", async (folder) => {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).sort();
  const sources = files.filter((path) => /(?<!\.d)\.[jt]s$/.test(path) && !path.includes("fixtures"));
  let functions = 0;
  const step = Math.max(1, Math.floor(sources.length / 40));
  for (const path of sources.filter((_, i) => i % step === 0)) {
    functions += await same(readFileSync(join(root, folder, path), "utf8"), languageOfPath(path)!, path);
  }
  expect(functions).toBeGreaterThan(100);
});
