import type { Dirent } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { errnoOf, UserError, type Language } from "../base/index.js";
import { languageOfPath } from "../languages/index.js";
import type { CorpusConfig, SourceConfig } from "./config.js";
import { excludedByName } from "./filters/index.js";
import { globsToRegExp } from "./_glob.js";
import { splitOf } from "./_split.js";
import type { Split } from "./types.js";

/** A file to read, found but not opened. */
export interface SourceFile {
  readonly origin: string;
  /** Inside the source, with forward slashes. */
  readonly path: string;
  readonly absolute: string;
  readonly lang: Language;
  readonly bytes: number;
  readonly split: Split;
}

export type OnSkip = (origin: string, path: string, reason: string) => void;

/**
 * The source files of all sources: held-out ones first, then in the order of the sources, each sorted by path. Held-out
 * files come first so that a function found on both sides is removed from training, not from the evaluation.
 *
 * @throws UserError `corpus.source`
 */
export async function listFiles(config: CorpusConfig, onSkip: OnSkip, signal?: AbortSignal): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const source of config.sources) {
    const found = await listSource(source, config, onSkip, signal);
    // By code units, so that the order depends neither on locale nor on file system.
    files.push(...found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)));
  }
  const order: Record<Split, number> = { test: 0, validation: 1, train: 2 };
  return files.sort((a, b) => order[a.split] - order[b.split]); // Stable: keeps the order within a split.
}

/** The name under which a source's records appear. */
function originOf(source: SourceConfig): string {
  return source.name ?? basename(resolve(source.path));
}

async function listSource(
  source: SourceConfig,
  config: CorpusConfig,
  onSkip: OnSkip,
  signal: AbortSignal | undefined,
): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  const origin = originOf(source);
  const root = await realpath(source.path).catch((error: unknown) => {
    throw new UserError(
      "corpus.source",
      `source ${origin}: expected a folder at ${source.path}, got ${errnoOf(error)}`,
      {
        fix: "Correct the path, or install what should be there",
        cause: error,
      },
    );
  });
  if (!(await stat(root)).isDirectory()) {
    throw new UserError("corpus.source", `source ${origin}: expected a folder at ${source.path}, got a file`, {
      fix: "Name the folder that holds the file",
    });
  }
  const languages = new Set(source.languages ?? config.languages);
  const exclude = globsToRegExp(source.exclude);
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    signal?.throwIfAborted();
    const entries = await readFolder(join(root, folder), origin, folder, onSkip);
    const folders: string[] = [];
    for (const entry of entries) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      // Links are left alone: their targets are found where they are, and loops cannot arise.
      if (entry.isSymbolicLink() || exclude?.test(path)) continue;
      if (entry.isDirectory()) {
        const reason = excludedByName(`${path}/`);
        if (reason === undefined) folders.push(path);
        else onSkip(origin, `${path}/`, reason);
        continue;
      }
      const lang = languageOfPath(path);
      if (!entry.isFile() || lang === undefined || (languages.size > 0 && !languages.has(lang))) continue;
      const reason = excludedByName(path);
      if (reason !== undefined) {
        onSkip(origin, path, reason);
        continue;
      }
      const absolute = join(root, path);
      const bytes = await lstat(absolute).then(
        (info) => info.size,
        () => -1,
      );
      files.push({ origin, path, absolute, lang, bytes, split: source.split ?? splitOf(origin, path, config.split) });
    }
    pending.push(...folders);
  }
  return files;
}

async function readFolder(absolute: string, origin: string, path: string, onSkip: OnSkip): Promise<Dirent[]> {
  try {
    return await readdir(absolute, { withFileTypes: true });
  } catch (error) {
    onSkip(origin, `${path}/`, `unreadable-folder`);
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}
