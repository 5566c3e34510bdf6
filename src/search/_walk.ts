import type { Dirent } from "node:fs";
import { lstatSync, readdirSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { setImmediate } from "node:timers/promises";
import { errnoOf, UserError } from "../base/index.js";
import { IGNORE_FILES, isIgnored, rulesAbove, withRulesOf, type IgnoreRules } from "./_ignore-rules.js";

/** Never worth a search, whatever `.gitignore` says. */
const SKIPPED_FOLDERS: ReadonlySet<string> = new Set([".git", ".hg", ".svn", "node_modules", ".lodestone"]);

/** A file as the folder shows it. */
export interface FoundFile {
  /** Relative to the folder, with forward slashes. */
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * Files of a folder, sorted by path inside each folder, without what ignore files rule out. Links are not followed, so
 * there are no circles; a file that vanishes meanwhile is left out.
 *
 * @throws UserError `search.folder`; the signal's reason
 */
export async function listFiles(folder: string, signal?: AbortSignal): Promise<FoundFile[]> {
  const root = resolve(folder);
  const files: FoundFile[] = [];
  // A list instead of recursion, so that depth has no bound.
  const waiting: { relative: string; rules: IgnoreRules }[] = [{ relative: "", rules: await rulesAbove(root) }];
  let last = performance.now();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    signal?.throwIfAborted();
    if (performance.now() - last > 20) {
      await setImmediate();
      last = performance.now();
    }
    const { relative } = next;
    const here = join(root, relative);
    const entries = entriesOf(here, relative === "");
    const hasRules = entries.some((entry) => IGNORE_FILES.includes(entry.name));
    const rules = hasRules ? await withRulesOf(here, next.rules) : next.rules;
    const folders: string[] = [];
    for (const entry of entries) {
      const path = relative === "" ? entry.name : `${relative}/${entry.name}`;
      const isFolder = entry.isDirectory();
      if (!isFolder && !entry.isFile()) continue;
      if (isFolder && SKIPPED_FOLDERS.has(entry.name)) continue;
      if (rules.length > 0 && isIgnored(join(here, entry.name), isFolder, rules)) continue;
      if (isFolder) folders.push(path);
      else {
        const info = lstatSync(here + sep + entry.name, { throwIfNoEntry: false });
        // A name that is not UTF-8 cannot be opened by what Node makes of it; it is listed as unreadable later.
        files.push({ path, size: info?.size ?? 0, mtimeMs: info?.mtimeMs ?? 0 });
      }
    }
    for (const path of folders.reverse()) waiting.push({ relative: path, rules });
  }
  return files;
}

function entriesOf(folder: string, isRoot: boolean): Dirent[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
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
