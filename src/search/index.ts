export { chunkFile } from "./chunks/chunk-file.js";
export { fileTypeOf, fileTypeNames, type FileType, type UserGrammars } from "./chunks/grammars.js";
export { CHUNK_KINDS, CHUNKER_VERSION, type Chunk, type ChunkKind } from "./chunks/types.js";
export { windowChunks } from "./chunks/windows.js";
export type { CloneGroup, DuplicateOptions } from "./duplicates.js";
export {
  openIndex,
  parseKind,
  SearchIndex,
  type Answer,
  type Hit,
  type IndexStatus,
  type OpenIndexOptions,
  type RefineProgress,
  type SearchOptions,
} from "./open-index.js";
export { isStaticFolder, shippedModels, type EncoderFolders, type Encoders } from "./_models.js";
export type { SkipReason } from "./_read-text.js";
export type { UpdateReport, UpdateTimes } from "./_update.js";
export { WEIGHTS, type Weights } from "./_weights.js";
export { FEATURES, type Feature } from "./rank/features.js";
export { orderByWeights, type Explanation, type Ordered, type Weighable } from "./rank/rank.js";
export { EmbeddedStore } from "./store/embedded.js";
export { PostgresStore, type PostgresClient } from "./store/postgres.js";
export type * from "./store/store.js";
export { WordScanner } from "./text/words.js";
