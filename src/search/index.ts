export { chunkFile, windowChunks, type Chunk } from "./chunk.js";
export { FolderIndex, indexFolder, type FolderCounts, type Hit, type IndexFolderOptions } from "./folder-index.js";
export { searchFolder, type SearchFolderOptions } from "./search-folder.js";
export { ExactStore, type Neighbour, type VectorStore } from "./store.js";
export type { SkipReason } from "./_read-text.js";
