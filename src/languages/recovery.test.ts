import { beforeAll, expect, test } from "vitest";
import { LANGUAGES } from "../base/index.js";
import { extractFunctions, loadLanguages } from "./index.js";

beforeAll(() => loadLanguages(LANGUAGES));

test("macros in the head of a C function do not lose it", () => {
  const text = [
    "/* Sets the name. */\nvoid\nset_name(struct conn *c, const char *name)\n    EXCLUDED(c->mutex)\n{\n    c->name = name;\n    c->dirty = 1;\n}\n",
    "/* Parses the text. */\nstatic char * WARN_UNUSED\nparse(char *text, int base)\n{\n    int x = base;\n    return text + x;\n}\n",
    "/* Adds two. */\nSTATIC_INLINE int add(int a, int b)\n{\n    int c = a;\n    return c + b;\n}\n",
    "/* Opens it. */\nAPI_DECLARE(status) file_open(file **f, int flags)\n{\n    *f = make(flags);\n    return OK;\n}\n",
    "/* Runs K&R. */\nint\nrun(a, b)\n    int a;\n    char *b;\n{\n    a += 1;\n    return a;\n}\n",
  ].join("\n");
  const found = extractFunctions(text, "c");
  expect(found.map(({ name, docstring }) => `${name}: ${docstring}`)).toEqual([
    "set_name: Sets the name.",
    "parse: Parses the text.",
    "add: Adds two.",
    "file_open: Opens it.",
    "run: Runs K&R.",
  ]);
  for (const { start, end, code } of found) expect(text.slice(start, end)).toBe(code);
});

test("functions that an error swallowed are found again, at their place in the file", () => {
  const broken = "#ifdef A\nint f(int a) {\n#else\nint f(long a) {\n#endif\n  return 1;\n}\n\nstruct x = = {{{ ;\n\n";
  const text = `${broken}/* Reads a line. */\nstatic int\nread_line(FILE *f)\n{\n  char *c = get(f);\n  return c != 0;\n}\n`;
  const found = extractFunctions(text, "c").find(({ name }) => name === "read_line")!;
  expect(found.docstring).toBe("Reads a line.");
  expect(text.slice(found.start, found.end)).toBe(found.code);
  expect(text.slice(...found.docSpan!)).toBe("/* Reads a line. */");
  expect(text.slice(0, found.start).split("\n").length).toBe(found.startLine);
  expect(text.slice(0, found.end).split("\n").length).toBe(found.endLine);
  expect(found.body).toBe("char *c = get(f);");
  expect(found.inner).toBe("char *c = get(f);\nreturn c != 0;");
});

test("callbacks count where they are documented, not as wrappers of whole modules", () => {
  const text = `
/** Keeps what was computed. */
const area = memoize((r) => {
  const s = r * r;
  return 3 * s;
});
/** Draws a rectangle on demand. */
register("rectangle", function (x, y) {
  draw(x, y);
  flush();
});
list.map(function (x) { return x; });
/** The module of everything. */
define(["a"], function (a) { let b = a; return b; });
`;
  const found = extractFunctions(text, "javascript").map(({ name, docstring }) => `${name}: ${docstring}`);
  expect(found).toEqual(["area: Keeps what was computed.", "rectangle: Draws a rectangle on demand."]);
});

test("a body that is nothing but a returned value is empty, its inner text is not", () => {
  const [found] = extractFunctions(
    'def f(a):\n    """Doubles it."""\n    return twice(\n        a,\n    )\n',
    "python",
  );
  expect(found!.body).toBe("");
  expect(found!.inner).toBe("return twice(\n    a,\n)");
});

test("one line of 10 MB takes no more than its time to be read", () => {
  const line = `x = [${"1, ".repeat(3_400_000)}];`;
  expect(extractFunctions(`${line}\nfunction f() { return 1; }\n`, "javascript").map(({ name }) => name)).toEqual([
    "f",
  ]);
}, 60_000);
