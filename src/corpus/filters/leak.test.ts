import { expect, test } from "vitest";
import { leaks } from "./leak.js";

const pair = { summary: "Closes the open file.", docstring: "Closes the open file.", code: "f() {}", body: "g()" };

test("documentation that the code repeats is a leak, in either form of the code", () => {
  const long = "Closes the open file and frees its lock.";
  expect(leaks({ ...pair, summary: long, docstring: long })).toBeUndefined();
  expect(leaks({ ...pair, summary: long, code: `f() {\n  // closes the open\n  // file, and frees its lock\n}` })).toBe(
    "summary-in-code",
  );
  expect(leaks({ ...pair, summary: long, docstring: `${long} Twice.`, body: `"""${long}\n Twice."""` })).toBe(
    "summary-in-body",
  );
  expect(
    leaks({ ...pair, docstring: "@return whether it was open at all", body: "# return: Whether it was open at all" }),
  ).toBe("docstring-in-body");
});

test("few words count only as they are written", () => {
  expect(leaks({ ...pair, code: "f() {\n  // Closes the\n  // open file\n}" })).toBe("summary-in-code");
  expect(leaks({ ...pair, code: "closes_the_open_file();" })).toBeUndefined();
  expect(leaks({ ...pair, summary: "Closes it.", docstring: "Closes it.", code: "// Closes it." })).toBeUndefined();
});
