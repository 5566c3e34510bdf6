import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { corpusInput, PACKAGES, RECIPE, recipeHash } from "./recipe.js";

test("every package of the recipe is installed, and every folder of it exists", () => {
  const { sources } = corpusInput();
  expect(sources.map(({ path }) => path).filter((path) => !existsSync(path))).toEqual([]);
  expect(new Set(sources.map(({ name }) => name))).toEqual(new Set(PACKAGES.map(({ name }) => name)));
});

test("two packages are held out, and they are whole", () => {
  const heldOut = new Set(PACKAGES.filter(({ split }) => split === "test").map(({ name }) => name));
  expect(heldOut.size).toBe(2);
  for (const { name, split } of PACKAGES) expect(split === "test").toBe(heldOut.has(name));
});

test("a package that is not installed is named, with what to do", () => {
  const missing = { name: "@lodestone-test/never-installed", folders: ["."], split: "train" } as const;
  expect(() => corpusInput([missing])).toThrow(
    expect.objectContaining({
      name: "UserError",
      code: "quickstart.packages",
      message: expect.stringContaining("expected the package @lodestone-test/never-installed") as string,
      fix: expect.stringContaining("npm ci") as string,
    }),
  );
});

test("any change of the recipe gives it another name", () => {
  const changed = { ...RECIPE, stage1: { ...RECIPE.stage1, steps: RECIPE.stage1.steps + 1 } };
  expect(recipeHash(changed, PACKAGES)).not.toBe(recipeHash(RECIPE, PACKAGES));
  expect(recipeHash(structuredClone(RECIPE), PACKAGES)).toBe(recipeHash(RECIPE, PACKAGES));
});
