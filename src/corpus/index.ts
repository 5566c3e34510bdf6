export * from "./types.js";
export { corpusSchema, sourceSchema, type CorpusConfig, type CorpusInput, type SourceConfig } from "./config.js";
export { buildCorpus, type BuildOptions } from "./build.js";
export {
  fetchRecipe,
  openSources,
  readRecipe,
  type FetchEvent,
  type FetchOptions,
  type FetchSummary,
  type Recipe,
} from "./sources/index.js";
export { readDocuments, readManifest, readPairs, type ReadOptions } from "./read.js";
export * from "./report/index.js";
