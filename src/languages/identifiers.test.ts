import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { LANGUAGES, type Language } from "../base/index.js";
import { identifiers, loadLanguage, loadLanguages, obfuscate, restore } from "./index.js";

/** A text and its obfuscation, both written by hand. */
interface Case {
  readonly language: Language;
  readonly name: string;
  readonly in: readonly string[];
  readonly out: readonly string[];
  readonly map?: Readonly<Record<string, string>>;
}

const cases = JSON.parse(
  readFileSync(new URL("./fixtures/obfuscate/cases.json", import.meta.url), "utf8"),
) as readonly Case[];

beforeAll(() => loadLanguages(LANGUAGES));

describe.each(cases)("$language: $name", ({ language, in: before, out, map }) => {
  const text = `${before.join("\n")}\n`;

  test("obfuscates as by hand", () => {
    const got = obfuscate(text, language);
    expect(got.text.split("\n").slice(0, -1)).toEqual(out);
    if (map !== undefined) expect(got.map).toEqual(map);
  });

  test("is undone exactly and brings no parse error", async () => {
    const got = obfuscate(text, language);
    expect(restore(got)).toBe(text);
    const parser = await loadLanguage(language);
    expect(parser.countErrors(text), "the fixture parses").toBe(0);
    expect(parser.countErrors(got.text)).toBe(0);
  });

  test("spans hold their name, in order and apart", () => {
    const all = identifiers(text, language).flatMap(({ name, spans }) =>
      spans.map(([start, end]) => ({ name, start, end })),
    );
    for (const { name, start, end } of all) expect(text.slice(start, end)).toBe(name);
    const sorted = [...all].sort((a, b) => a.start - b.start);
    for (let i = 1; i < sorted.length; i++) expect(sorted[i]!.start).toBeGreaterThanOrEqual(sorted[i - 1]!.end);
  });
});

test("every language has three cases", () => {
  for (const language of LANGUAGES) {
    expect(cases.filter((one) => one.language === language).length).toBeGreaterThanOrEqual(3);
  }
});

test("placeholder names in the source are skipped, in code, strings and comments", () => {
  const text = "def f_0(x):\n    v_0 = x  # not v_1\n    return 'c_0' + v_0\n\nclass A: pass\n";
  const got = obfuscate(text, "python");
  expect(got.map).toEqual({ f_1: "f_0", v_2: "x", v_3: "v_0", c_1: "A" });
  expect(restore(got)).toBe(text);
});

test("kinds are those of the first definition, and first appearance numbers", () => {
  const kinds = identifiers("use(later)\nclass K:\n  def m(self): self.a = later\nlater = K().a\n", "python");
  expect(kinds.map(({ name, kind, spans }) => [name, kind, spans.length])).toEqual([
    ["later", "variable", 3],
    ["K", "class", 2],
    ["m", "function", 1],
    ["self", "variable", 2],
    ["a", "attribute", 2],
  ]);
});
