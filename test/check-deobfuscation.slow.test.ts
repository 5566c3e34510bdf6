import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { checkTexts, type CheckedText } from "../scripts/check-deobfuscation.js";
import { LANGUAGES, type Language } from "../src/base/index.js";
import { languageOfPath } from "../src/languages/index.js";

/** The check of a corpus' files, on those that every checkout has: fixtures, installed packages, our own source. */
const root = fileURLToPath(new URL("../", import.meta.url));
const FOLDERS = ["node_modules", "src", "scripts", "test", "engines"];
const FILES_PER_LANGUAGE = 150;
const GENERATED = /\.d\.[cm]?ts$|\.min\.|\/(?:dist|build|fixtures)\/|parser\.c$|tree_sitter\//;

interface Case {
  readonly language: Language;
  readonly name: string;
  readonly in: readonly string[];
}

function fixtures(): CheckedText[] {
  const folder = join(root, "src/languages/fixtures");
  const cases = JSON.parse(readFileSync(join(folder, "obfuscate/cases.json"), "utf8")) as readonly Case[];
  const texts = cases.map(({ language, name, in: lines }): CheckedText => {
    return { lang: language, where: name, text: `${lines.join("\n")}\n` };
  });
  for (const file of readdirSync(folder)) {
    const lang = languageOfPath(file.replace(/\.txt$/, ""));
    if (lang !== undefined) texts.push({ lang, where: file, text: readFileSync(join(folder, file), "utf8") });
  }
  return texts;
}

/** Files spread evenly over all that there are. */
function installed(): CheckedText[] {
  const byLanguage = new Map<Language, string[]>();
  for (const folder of FOLDERS) {
    const paths = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).sort();
    for (const path of paths) {
      const lang = GENERATED.test(`/${path}`) ? undefined : languageOfPath(path);
      if (lang === undefined) continue;
      const list = byLanguage.get(lang);
      if (list === undefined) byLanguage.set(lang, [join(folder, path)]);
      else list.push(join(folder, path));
    }
  }
  return [...byLanguage].flatMap(([lang, paths]) => {
    const step = Math.max(1, Math.floor(paths.length / FILES_PER_LANGUAGE));
    return paths
      .filter((_, i) => i % step === 0)
      .map((where): CheckedText => ({ lang, where, text: readFileSync(join(root, where), "utf8") }))
      .filter(({ text }) => text.length < 60_000);
  });
}

test("every property holds on the fixtures, in every language", async () => {
  const { languages, samples } = await checkTexts(fixtures());
  expect(samples).toEqual([]);
  for (const language of LANGUAGES) {
    expect(languages[language], language).toMatchObject({ failures: 0, unlike: 0, shakier: 0 });
    expect(languages[language]!.files, language).toBeGreaterThanOrEqual(6);
    expect(languages[language]!.ofPython, language).toBeGreaterThan(0.6);
  }
});

test("and on installed packages and our own source", async () => {
  const { languages, samples } = await checkTexts(installed());
  for (const [language, one] of Object.entries(languages)) {
    expect(one, `${language}: ${JSON.stringify(samples)}`).toMatchObject({ failures: 0 });
    expect(one.unlike, `${language}: ${JSON.stringify(samples)}`).toBeLessThanOrEqual(Math.ceil(0.02 * one.files));
  }
  for (const language of ["javascript", "typescript"] as const) {
    expect(languages[language]!.files, language).toBeGreaterThan(100);
    expect(languages[language]!.share, language).toBeGreaterThan(0.4);
  }
});
