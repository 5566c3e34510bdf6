import { describe, expect, test } from "vitest";
import type { Language } from "../base/index.js";
import { summarise } from "./index.js";

const summary = (docstring: string, language: Language = "javascript"): string => {
  const result = summarise(docstring, language);
  return "summary" in result ? result.summary : `(${result.dropped})`;
};

describe("the first sentence", () => {
  test.each([
    ["Rounds, e.g. 1.5 to 2. Ties go up.", "Rounds, e.g. 1.5 to 2."],
    ["Loads v1.2.3 of node.js files. Then stops.", "Loads v1.2.3 of node.js files."],
    ["Sorts the rows, columns, etc. The rest stays.", "Sorts the rows, columns, etc."],
    ["Sorts rows, etc. and columns. More.", "Sorts rows, etc. and columns."],
    ["Uses the method of Donald E. Knuth to shuffle. Fast.", "Uses the method of Donald E. Knuth to shuffle."],
    ["Multiplies A by B. Works in place.", "Multiplies A by B."],
    ["Is the file open? Otherwise it throws.", "Is the file open?"],
    [
      "If it is closed, opens it.\nOtherwise goes to its child. Then more.",
      "If it is closed, opens it. Otherwise goes to its child.",
    ],
    ["If it is closed, opens it. Then goes on.", "If it is closed, opens it."],
    ['Returns "a." when empty. Else b.', 'Returns "a." when empty.'],
    ["Returns the items\nof the list\n\nin order.", "Returns the items of the list"],
    ["Accepts these options:\n- one\n- two", "Accepts these options:"],
    ["Waits... then goes on to run. End.", "Waits... then goes on to run."],
    ["1. Reads the file first\n2. Closes it", "1. Reads the file first"],
  ])("%j", (docstring, expected) => {
    expect(summary(docstring)).toBe(expected);
  });
});

describe("tags, marks and links are stripped", () => {
  test.each<[Language, string, string]>([
    [
      "javascript",
      "Gets the {@link Foo#bar} of {@link Baz the baz}.\n@param {string} x\n@returns {y}",
      "Gets the bar of the baz.",
    ],
    ["javascript", "@param {string} x\n@returns {number}", "(no-description)"],
    ["javascript", "@description Opens a thing by name.\n@param x", "Opens a thing by name."],
    [
      "java",
      "Returns <code>true</code> if {@code a &lt; b}, <b>never</b> null.<p>More.",
      "Returns true if a < b, never null.",
    ],
    ["java", "Compares a List<String> with others.", "Compares a List<String> with others."],
    ["python", "Fit the model.\n\n:param x: data\n:type x: int\n:return: self", "Fit the model."],
    [
      "python",
      "Fit a :class:`~sklearn.Model <m>` to ``X`` data.\n\nParameters\n----------\nX : array",
      "Fit a sklearn.Model to X data.",
    ],
    ["python", "pow(x, y) -> number\n\nRaise x to the power y.", "Raise x to the power y."],
    ["python", "Args:\n  x: what", "(no-description)"],
    [
      "csharp",
      '<summary>\nGets a <see cref="T:System.String"/> or <see langword="null"/> for <paramref name="key"/>.\n</summary>',
      "Gets a String or null for key.",
    ],
    ["csharp", '<param name="x">What.</param>', "(no-description)"],
    ["c", "\\brief Frees the \\p buffer at once.\n\\param b it", "Frees the buffer at once."],
    [
      "c",
      "xmlFree:\n@ptr:  the pointer\n  to free\n\nFrees memory that xmlMalloc gave.\n\nReturns nothing",
      "Frees memory that xmlMalloc gave.",
    ],
    ["c", "list_add() - add an entry after the head\n@new: entry", "add an entry after the head"],
    ["ruby", ":call-seq:\n  size -> int\n\nReturns the number of +rows+ here.", "Returns the number of rows here."],
    ["php", "Sends a mail, see https://example.org/mail?x=1#y. More.", "Sends a mail."],
    ["php", "Loads rows (www.example.org/x) from disk.", "Loads rows from disk."],
    ["go", "Foo &amp; bar &#8212; quickly &#x3b1; returns.", "Foo & bar — quickly α returns."],
  ])("%s %j", (language, docstring, expected) => {
    expect(summary(docstring, language)).toBe(expected);
  });
});

test("mojibake is repaired, real accents stay", () => {
  expect(summary("Donâ€™t wait for the cafÃ© to open.")).toBe("Don’t wait for the café to open.");
  expect(summary("Draws an À la carte menu with naïve café names.")).toBe(
    "Draws an À la carte menu with naïve café names.",
  );
  expect(summary("Don\ufffdt wait for the lock.")).toBe("Don't wait for the lock.");
  // Through the mistake twice.
  expect(summary("Opens the cafÃƒÂ© for the day.")).toBe("Opens the café for the day.");
});

describe("not English", () => {
  test.each([
    "Devuelve el nombre del usuario.",
    "Liefert die Liste der Namen zurück.",
    "Retourne la liste des noms",
    "Restituisce il numero di elementi nella lista.",
    "Возвращает список имён пользователей.",
    "获取用户的名字列表。",
    "ユーザーの一覧を返します。",
    "Vrátí seznam položek",
    "Mengambil data dari tabel pengguna",
    "Retorna o nome do usuário logado",
    "Zwraca liste elementow oraz ich liczbe",
    "Cria novo objeto pedido",
  ])("%s", (text) => {
    expect(summarise(text, "java")).toEqual({ dropped: "not-english" });
  });
});

describe("short technical sentences are English", () => {
  test.each([
    "Serialize XML node",
    "Compute SHA256 digest.",
    "Hash password bcrypt rounds",
    "Validate checksum header",
    "Bubble sort algorithm",
    "Rotate quaternion around axis",
    "Dijkstra shortest path",
    "Gaussian elimination with partial pivoting",
    "Applies α-β pruning to the tree",
    "Mirror sprite horizontally",
  ])("%s", (text) => {
    expect(summarise(text, "c")).toEqual({ summary: text });
  });
});

describe("what is no description is dropped with its reason", () => {
  test.each([
    ["TODO: write this down properly", "note"],
    ["NOTE: only for internal use by the parser", "note"],
    ["{@inheritDoc}", "inherited"],
    ["See Foo#bar", "inherited"],
    ["@override", "inherited"],
    ["Copyright 2024 Example Inc. All rights reserved.", "licence"],
    ["Auto-generated method stub", "templated"],
    ["The main entry point for the application.", "templated"],
    ["Constructor for Foo.", "templated"],
    ["---------------------------", "no-description"],
    ["expr : expr PLUS term | term", "not-prose"],
    ["return foo(bar);", "not-prose"],
    ["Gets it", "too-short"],
    ["Adds the " + "very ".repeat(300) + "large numbers.", "too-long"],
    ["", "no-description"],
  ])("%j", (docstring, reason) => {
    expect(summarise(docstring, "javascript")).toEqual({ dropped: reason });
  });
});

test("the bounds count what the caller counts", () => {
  const options = { countTokens: (text: string) => text.length, minTokens: 10, maxTokens: 20 };
  expect(summarise("Adds to it.", "go", options)).toEqual({ summary: "Adds to it." });
  expect(summarise("Adds it to the big list.", "go", options)).toEqual({ dropped: "too-long" });
});

test("hostile docstrings take no quadratic time", () => {
  const start = performance.now();
  for (const piece of [
    "{@link ",
    "<a ",
    "`",
    "(",
    "* ",
    "https://",
    "Ã",
    "&",
    ":x:",
    "@p ",
    "e.g. ",
    "[x](",
    "<summary>",
  ]) {
    summarise(piece.repeat(20_000), "csharp");
    summarise(piece.repeat(20_000), "python");
  }
  expect(performance.now() - start).toBeLessThan(8_000);
});

test("a list of many words after a name and a colon is read in no time", () => {
  // One pattern tried every way of cutting the words: sixty seconds for a docstring of two lines.
  const doc = `func_name : ${"Descriptive text continued ".repeat(40)}, func_name3`;
  const started = performance.now();
  summarise(doc, "python", { minTokens: 3, maxTokens: 256 });
  expect(performance.now() - started).toBeLessThan(2000);
});
