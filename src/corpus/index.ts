export * from "./types.js";
export { corpusSchema, type CorpusConfig, type CorpusInput } from "./config.js";
export {
  fetchRecipe,
  openSources,
  readRecipe,
  type FetchEvent,
  type FetchOptions,
  type FetchSummary,
  type Recipe,
} from "./sources/index.js";
export type { SourceConfig, SourceInput } from "./sources/schema.js";
export { buildCorpus, type BuildOptions } from "./pipeline/build.js";
export { mergeCorpora, type MergeOptions } from "./pipeline/merge.js";
export {
  openCorpus,
  readDocuments,
  readDropped,
  readManifest,
  readPairs,
  Table,
  type OpenCorpus,
  type ReadOptions,
  type RowGroup,
} from "./read.js";
export { filterCorpus, type FilterOptions } from "./refine/consistency.js";
export { mineNegatives, readNegatives, type MinedLine, type MineEvent, type MineOptions } from "./refine/mine.js";
export { emptyRecords, RecordFiles, type VectorRecords } from "./refine/_records.js";
export type { PairEncoder } from "./refine/vectors.js";
export { leaks, type Leak, type Leakable } from "./filters/index.js";
export * from "./report/index.js";
