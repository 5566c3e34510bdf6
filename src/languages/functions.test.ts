import { existsSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { LANGUAGES, type Language } from "../base/index.js";
import { extractFunctions, loadLanguages, summarise, type ExtractedFunction } from "./index.js";

/**
 * A function as read off the fixture by hand. `code` names lines of the file (`10 19-22`): the first without its
 * indentation, the last up to the end of the function.
 */
interface Expected {
  readonly kind: string;
  readonly name: string;
  readonly code: string;
  readonly docstring?: string;
  readonly summary?: string;
  readonly dropped?: string;
  readonly body: string;
}

const ENDINGS: Readonly<Record<Language, string>> = {
  python: "py",
  java: "java",
  javascript: "js",
  typescript: "ts.txt",
  csharp: "cs",
  c: "c",
  ruby: "rb",
  go: "go",
  php: "php",
};

function fixture(language: Language): { text: string; expected: Expected[] } {
  const folder = new URL("./fixtures/", import.meta.url);
  const text = readFileSync(new URL(`${language}.${ENDINGS[language]}`, folder), "utf8");
  return { text, expected: JSON.parse(readFileSync(new URL(`${language}.json`, folder), "utf8")) as Expected[] };
}

/** The named lines of a text, the closing comma or semicolon of the surrounding statement aside. */
function lines(text: string, ranges: string): string {
  const all = text.split("\n");
  const picked = ranges.split(" ").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return all.slice(first! - 1, last);
  });
  return withoutEnd(picked.join("\n").trim());
}
const withoutEnd = (code: string): string => code.replace(/[;,]$/, "");

beforeAll(() => loadLanguages(LANGUAGES));

describe.each(LANGUAGES)("%s", (language) => {
  const { text, expected } = fixture(language);

  test("finds the functions that a reader finds", () => {
    const found = extractFunctions(text, language);
    expect(found.map(({ kind, name }) => `${kind} ${name}`)).toEqual(
      expected.map(({ kind, name }) => `${kind} ${name}`),
    );
    for (const [i, want] of expected.entries()) {
      const got = found[i]!;
      const where = `${language} ${want.name}`;
      expect(withoutEnd(got.code), where).toBe(lines(text, want.code));
      expect(got.docstring, where).toBe(want.docstring);
      expect(got.body, where).toBe(want.body);
      expect(`${got.startLine}-${got.endLine}`, where).toBe(
        want.code.replace(
          /^(\d+)(?:.*[ -](\d+))?$/,
          (_, first: string, last: string | undefined) => `${first}-${last ?? first}`,
        ),
      );
      if (want.docstring === undefined) continue;
      const summary = summarise(want.docstring, language);
      expect(summary, where).toEqual(
        want.summary === undefined ? { dropped: want.dropped } : { summary: want.summary },
      );
    }
  });

  test("offsets are UTF-16 code units, exact also behind astral characters and CRLF", () => {
    for (const variant of [
      text.replace(/([A-Za-z]) ([A-Za-z])/, "$1 $2"),
      text.replace(/\n/g, "\r\n"),
      withEmoji(text),
    ]) {
      for (const found of extractFunctions(variant, language)) {
        const whole = variant.slice(found.start, found.end);
        expect(whole).toBe(whole.trim());
        const inside = found.docSpan !== undefined && found.docSpan[0] > found.start;
        if (!inside) expect(found.code).toBe(whole);
        expect(variant.slice(0, found.start).split("\n").length).toBe(found.startLine);
        if (found.docSpan !== undefined)
          expect(variant.slice(...found.docSpan)).toContain(found.docstring!.split("\n")[0]!);
      }
    }
    expect(names(extractFunctions(withEmoji(text), language))).toEqual(expected.map(({ name }) => name));
  });

  test("empty, cut-off and foreign texts give no error", () => {
    expect(extractFunctions("", language)).toEqual([]);
    for (let cut = 0; cut < text.length; cut += 97) {
      for (const found of extractFunctions(text.slice(0, cut), language)) {
        // What is found in a part is as in the whole, unless the cut itself made it.
        expect(text.slice(found.start, found.end)).toContain(found.name.replace(/^operator /, ""));
      }
    }
    extractFunctions("\u0000\uffff<<<>>> ÿ𝒳 \ud800", language);
  });
});

function names(functions: readonly ExtractedFunction[]): string[] {
  return functions.map(({ name }) => name);
}

/** An emoji (two code units) inside the first comment. */
function withEmoji(text: string): string {
  return text.replace(/Example/, "Ex🦊mple");
}

test("the fixtures are there", () => {
  for (const language of LANGUAGES) {
    expect(existsSync(new URL(`./fixtures/${language}.${ENDINGS[language]}`, import.meta.url))).toBe(true);
  }
});

test("a parse error inside one statement loses neither its function nor its neighbours", () => {
  const inside = "function a() {\n  let x = 1;\n  let y = = 2;\n  return x;\n}\n\nfunction c() {\n  return 3;\n}\n";
  expect(names(extractFunctions(inside, "javascript"))).toEqual(["a", "c"]);
  const between = "function a() {\n  return 1;\n}\n\n] garbage )\n\nfunction c() {\n  return 3;\n}\n";
  expect(names(extractFunctions(between, "javascript"))).toEqual(["a", "c"]);
  expect(
    names(extractFunctions("int f(void) {\n  FOREACH(x, list) {\n    g(x);\n  }\n  return 0;\n}\nint g(int", "c")),
  ).toEqual(["f"]);
  expect(names(extractFunctions("function open() {\n  if (x) {\n", "javascript"))).toEqual([]);
});

test("100,000 nested brackets do not overflow", () => {
  const depth = 100_000;
  const nested = `function deep() {\n  return ${"[".repeat(depth)}${"]".repeat(depth)};\n}\nfunction next() {}\n`;
  expect(names(extractFunctions(nested, "javascript"))).toEqual(["deep", "next"]);
  expect(extractFunctions("(".repeat(depth), "python")).toEqual([]);
});
