import { join } from "node:path";
import { sha256 } from "../../base/index.js";

/** Where a repository that was fetched from a URL lies in the cache. */
export function cachedRepository(cache: string, url: string): string {
  return join(cache, "git", `${sha256(url).slice(0, 16)}.git`);
}
