import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { errnoOf, messageOf, parseConfig, UserError } from "../../base/index.js";
import { recipeSchema, type Recipe } from "./schema.js";

/**
 * Reads a recipe. Folders it names are relative to the recipe's own folder.
 *
 * @throws UserError `recipe.unreadable`, `recipe.invalid`, `config.*`
 */
export async function readRecipe(path: string): Promise<Recipe> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new UserError("recipe.unreadable", `${path}: expected a recipe, got ${errnoOf(error) ?? messageOf(error)}`, {
      fix: "Check the path",
      cause: error,
    });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError("recipe.invalid", `${path}: expected JSON, got ${messageOf(error)}`, {
      fix: "Correct the file",
      cause: error,
    });
  }
  const recipe = parseConfig(recipeSchema, value, path);
  return {
    ...recipe,
    sources: recipe.sources.map((source) =>
      "path" in source ? { ...source, path: resolve(dirname(path), source.path) } : source,
    ),
  };
}
