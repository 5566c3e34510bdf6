import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LANGUAGES, type Language } from "../../src/base/index.js";
import { excludedByName, excludedByText } from "../../src/corpus/filters/index.js";
import { languageOfPath } from "../../src/languages/index.js";

const MODULES = fileURLToPath(new URL("../../node_modules/", import.meta.url));
/** Development packages whose sources are written by people. */
const PACKAGES = ["ol", "three", "mongodb", "tone", "@cesium/engine", "@lumino", "google-closure-library"];

/** A source file of a bench. */
export interface BenchFile {
  readonly lang: Language;
  /** Unique among the files. */
  readonly path: string;
  readonly text: string;
  readonly bytes: number;
}

/**
 * Real files that a corpus would take, at most `limit` bytes of each language, spread evenly over the folders: of
 * packages in `node_modules`, and of `data` where given.
 */
export function benchFiles(limit: number, data: string | undefined): BenchFile[] {
  const roots = [...PACKAGES.map((name) => join(MODULES, name)), ...(data === undefined ? [] : [data])];
  const paths = new Map<Language, string[]>(LANGUAGES.map((lang) => [lang, []]));
  for (const root of roots.filter((path) => existsSync(path))) {
    for (const path of walk(root)) {
      const lang = languageOfPath(path);
      if (lang !== undefined && excludedByName(path) === undefined) paths.get(lang)!.push(path);
    }
  }
  return [...paths].flatMap(([lang, found]) => take(lang, found, limit));
}

function take(lang: Language, paths: readonly string[], limit: number): BenchFile[] {
  const sizes = paths.map((path) => statSync(path).size);
  const share = limit / sizes.reduce((sum, size) => sum + size, 1);
  const files: BenchFile[] = [];
  let bytes = 0;
  let due = 0;
  for (const [i, path] of paths.entries()) {
    due += share;
    if (due < 1 && share < 1) continue;
    due -= 1;
    if (sizes[i]! > 1_000_000 || bytes + sizes[i]! > limit) continue;
    const text = readFileSync(path, "utf8");
    if (excludedByText(text, lang) !== undefined) continue;
    files.push({ lang, path: `${lang}/${i}-${path.split("/").at(-1)}`, text, bytes: sizes[i]! });
    bytes += sizes[i]!;
  }
  return files;
}

/** Files below a folder in a fixed order; links, hidden and vendored folders are passed over. */
function* walk(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isFile()) yield path;
    else if (entry.isDirectory() && excludedByName(`${entry.name}/`) === undefined) yield* walk(path);
  }
}
