import { cp, mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkFile } from "../scripts/_deobfuscation.js";
import { checkTexts, drawDocuments, type CheckedText } from "../scripts/check-deobfuscation.js";
import { buildCorpus } from "../src/corpus/index.js";
import { loadLanguage, type LanguageParser } from "../src/languages/index.js";

const TEXT = "def area(width):\n    # width\n    return width * scale('width')\n";

/** A parser with one of its answers changed. */
async function faulty(changes: Partial<LanguageParser>): Promise<LanguageParser> {
  const parser = await loadLanguage("python");
  const whole: LanguageParser = {
    language: "python",
    extractFunctions: (text) => parser.extractFunctions(text),
    identifiers: (text) => parser.identifiers(text),
    obfuscate: (text) => parser.obfuscate(text),
    tokens: (text) => parser.tokens(text),
    countErrors: (text) => parser.countErrors(text),
  };
  return { ...whole, ...changes };
}

describe("checkFile", () => {
  test("counts identifier tokens by hand", async () => {
    // area, width, width, scale; `scale` is from elsewhere.
    expect(checkFile(await faulty({}), TEXT)).toEqual({
      tokens: 4,
      masked: 3,
      namesakes: 0,
      whole: true,
      shakier: false,
      problems: [],
      unlike: [],
    });
  });

  test("a map that does not lead back", async () => {
    const parser = await faulty({
      obfuscate: () => ({ text: TEXT.replaceAll("area", "f_0"), map: { f_0: "aera" } }),
    });
    expect(checkFile(parser, TEXT).problems).toContain("undoing the map changes bytes");
  });

  test("an obfuscation that no longer parses", async () => {
    const parser = await faulty({ obfuscate: () => ({ text: TEXT.replace("area(", "f_0(("), map: {} }) });
    expect(checkFile(parser, TEXT).problems.join()).toMatch(/new parse errors/);
  });

  test("a comment that is obfuscated along", async () => {
    const at = TEXT.indexOf("# width") + 2;
    const parser = await faulty({
      identifiers: () => [{ name: "width", kind: "variable", spans: [[at, at + 5]] }],
      obfuscate: () => ({ text: TEXT.replace("# width", "# v_0"), map: { v_0: "width" } }),
    });
    const { problems } = checkFile(parser, TEXT);
    expect(problems).toContain("line 2: a name inside a comment");
    expect(problems).toContain("a string or comment differs afterwards");
  });

  test("an occurrence that is passed over", async () => {
    const text = "def f(width):\n    height = width + 1\n    return width - height\n";
    const good = await faulty({});
    const parser = await faulty({
      identifiers: (one) =>
        good
          .identifiers(one)
          .map((found) => (found.name === "width" ? { ...found, spans: found.spans.slice(0, 2) } : found)),
    });
    expect(checkFile(parser, text)).toMatchObject({
      namesakes: 1,
      unlike: ["line 3: width stays, but not in line 2"],
    });
    expect(checkFile(good, text).unlike).toEqual([]);
  });

  test("other objects' members, keyword arguments and imports may have the same name", async () => {
    const text =
      "import os\nfrom m import (\n    end as stop,\n)\n" +
      "def run(join, end):\n    print(os.path.join(join), end=end)\n    return stop\n";
    expect(checkFile(await faulty({}), text)).toMatchObject({ namesakes: 3, unlike: [], problems: [] });
  });
});

describe("checkTexts", () => {
  const python: CheckedText = { lang: "python", where: "a.py", text: "def f(a):\n    return a\n" };

  test("a language under 60% of Python's share fails", async () => {
    // Python: f, a, a of three. C: one of f, x, y, z is defined here.
    const c: CheckedText = { lang: "c", where: "a.c", text: "void f(void) { x(y, z); }\n" };
    const { passed, languages } = await checkTexts([python, c]);
    expect(languages.python).toMatchObject({ files: 1, share: 1, ofPython: 1, without: 0, failures: 0 });
    expect(languages.c).toMatchObject({ share: 0.25, ofPython: 0.25 });
    expect(passed).toBe(false);
    expect((await checkTexts([python])).passed).toBe(true);
  });

  test("files without identifiers are counted, and no file is no pass", async () => {
    const { languages } = await checkTexts([python, { ...python, text: "print(1)\n" }]);
    expect(languages.python).toMatchObject({ files: 2, without: 0.5 });
    expect((await checkTexts([])).passed).toBe(false);
  });
});

describe("a built corpus", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "lodestone-deobfuscation-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("as many documents a language as asked for, the same ones again", async () => {
    const source = join(folder, "source");
    await mkdir(source);
    const fixtures = fileURLToPath(new URL("../src/languages/fixtures/", import.meta.url));
    for (const file of ["java.java", "go.go"]) await cp(join(fixtures, file), join(source, file));
    const lines = (i: number): string =>
      Array.from({ length: 12 }, (_, k) => `def name_${i}_${k}(size_${k}):\n    return size_${k} * ${i + k}\n`).join(
        "\n",
      );
    for (let i = 0; i < 8; i++) await writeFile(join(source, `file${i}.py`), lines(i));
    const out = join(folder, "out");
    for await (const event of buildCorpus({ sources: [{ path: source }] }, out, { workers: 0 })) void event;

    const draw = async (files: number): Promise<string[]> => {
      const drawn: string[] = [];
      for await (const { where } of drawDocuments(out, files)) drawn.push(where);
      return drawn;
    };
    const few = await draw(3);
    expect(few.filter((where) => where.endsWith(".py"))).toHaveLength(3);
    expect(few.filter((where) => !where.endsWith(".py"))).toHaveLength(2);
    expect(await draw(3)).toEqual(few);
    const all = await draw(1000);
    expect(all.length).toBeGreaterThan(few.length);
    expect(all).toEqual(expect.arrayContaining(few));
    const { languages } = await checkTexts(drawDocuments(out, 1000));
    for (const one of Object.values(languages)) expect(one).toMatchObject({ failures: 0, unlike: 0 });
  });
});
