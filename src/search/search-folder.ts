import { indexFolder, type FolderCounts, type Hit, type IndexFolderOptions } from "./folder-index.js";

export interface SearchFolderOptions extends IndexFolderOptions {
  /** Hits at most; 10 by default. */
  readonly limit?: number;
  /** Told what the folder held, once it has been read. */
  readonly onCounts?: (counts: FolderCounts) => void;
}

/**
 * Finds the functions (or windows of other text files) of a folder that are nearest to a query, best first. The folder is
 * read and embedded anew for each call; for several queries keep an `indexFolder`.
 *
 * @throws UserError `search.folder`; the signal's reason when aborted
 */
export async function searchFolder(folder: string, query: string, options: SearchFolderOptions): Promise<Hit[]> {
  const { limit, onCounts, ...indexOptions } = options;
  const index = await indexFolder(folder, indexOptions);
  onCounts?.(index.counts);
  return index.search(query, limit);
}
