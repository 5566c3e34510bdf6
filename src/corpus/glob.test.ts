import { expect, test } from "vitest";
import { globsToRegExp } from "./_glob.js";

test("globs", () => {
  const matches = (glob: string, path: string): boolean => globsToRegExp([glob])!.test(path);
  expect(matches("*.js", "a/b.js")).toBe(true);
  expect(matches("/b.js", "a/b.js")).toBe(false);
  expect(matches("a/*.js", "a/b/c.js")).toBe(false);
  expect(matches("a/**", "a/b/c.js")).toBe(true);
  expect(matches("**/test/**", "test/c.js")).toBe(true);
  expect(matches("a?c.(x)", "abc.(x)")).toBe(true);
  expect(globsToRegExp([])).toBeUndefined();
});
