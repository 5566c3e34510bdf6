import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { errnoOf, UserError } from "../base/index.js";
import { isIgnored, rulesAbove, withRulesOf, type IgnoreRules } from "./_ignore-rules.js";

/** Never worth a search, whatever `.gitignore` says. */
const SKIPPED_FOLDERS: ReadonlySet<string> = new Set([".git", ".hg", ".svn", "node_modules"]);

/** Files of a folder, relative to it, sorted, without what `.gitignore` files rule out. Links are not followed. */
export async function listFiles(folder: string, signal?: AbortSignal): Promise<string[]> {
  const root = resolve(folder);
  const files: string[] = [];
  const visit = async (relative: string, outer: IgnoreRules): Promise<void> => {
    signal?.throwIfAborted();
    const here = join(root, relative);
    const entries = await entriesOf(here, relative === "");
    const rules = await withRulesOf(here, outer);
    for (const entry of entries) {
      const path = join(relative, entry.name);
      const isFolder = entry.isDirectory();
      if (!isFolder && !entry.isFile()) continue;
      if (isFolder && SKIPPED_FOLDERS.has(entry.name)) continue;
      if (isIgnored(join(root, path), isFolder, rules)) continue;
      if (isFolder) await visit(path, rules);
      else files.push(path);
    }
  };
  await visit("", await rulesAbove(root));
  return files;
}

async function entriesOf(folder: string, isRoot: boolean): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1)); // By code units: the same order on every machine.
  } catch (error) {
    if (!isRoot) return []; // A folder that may not be read is passed over like a file that may not.
    throw new UserError(
      "search.folder",
      `${folder}: expected a folder to search, got ${errnoOf(error) ?? "an error"}`,
      {
        fix: "Correct the path",
        cause: error,
      },
    );
  }
}
