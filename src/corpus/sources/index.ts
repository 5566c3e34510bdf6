export * from "./types.js";
export * from "./schema.js";
export { openSources, type OpenOptions } from "./open.js";
export { readRecipe } from "./recipe.js";
export { PERMISSIVE } from "./licences/permissive.js";
export { isAllowed, licenceRules, type LicenceRules } from "./licences/expression.js";
export { fetchRecipe, type FetchEvent, type FetchOptions, type FetchSummary } from "./fetch/fetch-recipe.js";
