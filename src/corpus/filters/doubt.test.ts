import { expect, test } from "vitest";
import type { Language } from "../../base/index.js";
import { doubtAbout, type Doubtful } from "./doubt.js";

const doubt = (pair: Partial<Doubtful>, lang: Language = "java"): string | undefined =>
  doubtAbout(
    {
      name: "f",
      kind: "method",
      summary: "Finds the row.",
      code: "Row f() { open(); return row; }",
      inner: "open(); return row;",
      ...pair,
    },
    lang,
  );

test("a constructor that only makes its class says nothing", () => {
  const made = (summary: string): string | undefined => doubt({ kind: "constructor", name: "Reader", summary });
  expect(made("Creates a new row reader.")).toBe("bare-constructor");
  expect(made("Create instance with parameters")).toBe("bare-constructor");
  expect(made("Initializes a new instance of the Reader class with the specified arguments.")).toBe("bare-constructor");
  expect(made("Creates a reader that skips rows without a key.")).toBeUndefined();
  expect(made("Opens the table.")).toBeUndefined();
  expect(doubt({ summary: "Creates a new row reader." })).toBeUndefined();
  expect(doubt({ name: "__construct", summary: "Define the regression." }, "php")).toBe("bare-constructor");
});

test("a body that does nothing is not what its documentation tells of", () => {
  const body = (inner: string, lang: Language = "java"): string | undefined => doubt({ inner }, lang);
  expect(body("// not here\nreturn null;")).toBe("trivial-body");
  expect(body("(void)row;\n(void)key;", "c")).toBe("trivial-body");
  expect(body('warnings.warn("gone")\nreturn False', "python")).toBe("trivial-body");
  expect(body("# kept\nnil", "ruby")).toBe("trivial-body");
  expect(body("if (size == NULL) {\n  return E_PARAMETER;\n}\n\nreturn E_UNSUPPORTED;", "c")).toBe("trivial-body");
  expect(body("if (size > 3) {\n  return E_PARAMETER;\n}\n\nreturn E_UNSUPPORTED;", "c")).toBeUndefined();
  expect(body("rows.clear();\nreturn null;")).toBeUndefined();
  expect(body("return first\n    + last;")).toBeUndefined();
});

test("what only a test returns stands for it; the same verb with another object was copied", () => {
  expect(doubt({ returned: true, summary: "Returns true if a row was found." })).toBeUndefined();
  expect(doubt({ returned: true, summary: "Returns promise with the data." })).toBe("return-only");
  expect(doubt({ summary: "Returns promise with the data." })).toBeUndefined();
  const set = { name: "setCommand", code: "void setCommand(c) { check(c); this.command = c; }" };
  expect(doubt({ ...set, summary: "Set the body for this frame" })).toBe("other-object");
  expect(doubt({ ...set, summary: "Set the command of this frame" })).toBeUndefined();
  expect(doubt({ name: "setCfg", code: set.code, summary: "Set the configuration of it" })).toBeUndefined();
});

test("what a long function answers in the end is not what it does, but for one that asks", () => {
  const long = { summary: "This returns true if the rows are in order.", inner: "move(row);\n".repeat(14) };
  expect(doubt({ ...long, name: "sortRows" })).toBe("return-only");
  expect(doubt({ ...long, name: "isSorted" })).toBeUndefined();
  expect(doubt({ ...long, name: "sorted?" }, "ruby")).toBeUndefined();
  expect(doubt({ ...long, name: "sortRows", inner: "return row < next;" })).toBeUndefined();
  expect(doubt({ summary: 'Returns e.g. "a, b".' })).toBe("return-only");
  expect(doubt({ summary: "Draws the row (not yet implemented)" })).toBe("unfinished");
});

test("a name of a sibling, unknown to the code", () => {
  const log = { name: "saveCanceledAsync", code: "void saveCanceledAsync() { log(Events.SaveCanceled); }" };
  expect(doubt({ ...log, summary: "Logs the SaveFailed event." })).toBe("other-object");
  expect(doubt({ ...log, summary: "Logs the SaveCanceled event." })).toBeUndefined();
  expect(doubt({ ...log, summary: "Logs by the RowWriter." })).toBeUndefined();
});

test("the caption of a test is none of a function", () => {
  expect(doubt({ name: "test_rows", summary: "Tests the reading of rows." })).toBe("test-text");
  expect(doubt({ name: "test_rows", summary: "Tests that rows are read in order." })).toBeUndefined();
});
