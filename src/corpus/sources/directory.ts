import { createHash } from "node:crypto";
import type { Dirent } from "node:fs";
import { lstat, open, readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { errnoOf, messageOf, UserError } from "../../base/index.js";
import { languageOfPath } from "../../languages/index.js";
import { chooser, fingerprintOf } from "./_choose.js";
import { Gate, MAX_FILE_BYTES } from "./_gate.js";
import { unavailable } from "./_unavailable.js";
import { packageJsonLicence } from "./licences/package-json.js";
import { toSpdx, UNKNOWN, type LicenceRules } from "./licences/expression.js";
import { isLicenceFile, licenceOfTexts } from "./licences/text.js";
import type { DirectoryConfig } from "./schema.js";
import type { ReadSourceOptions, Source, SourceEvent } from "./types.js";

/**
 * A folder on this machine. Its files pass if nobody states their licence: who names a folder knows what is in it. Links
 * are left alone: their targets are found where they are, and loops cannot arise.
 *
 * @throws UserError `corpus.source` if a required one is not there
 */
export async function openDirectory(config: DirectoryConfig, rules: LicenceRules): Promise<Source> {
  const origin = `directory:${config.name ?? basename(resolve(config.path))}`;
  let root: string;
  try {
    root = await folderAt(config.path, origin);
  } catch (error) {
    if (config.required || !(error instanceof UserError)) throw error;
    return unavailable(config, origin, error.message);
  }
  const stated = config.licence ?? (await statedLicence(root));
  const gate = new Gate(origin, "", rules, true);
  return {
    origin,
    version: "",
    fingerprint: fingerprintOf(config, await contentHash(root)),
    required: config.required,
    config,
    items: (options) => files(root, config, stated, gate, options),
  };
}

async function folderAt(path: string, origin: string): Promise<string> {
  const fix = "Correct the path, or install what should be there";
  const root = await realpath(path).catch((error: unknown) => {
    const message = `source ${origin}: expected a folder at ${path}, got ${errnoOf(error)}`;
    throw new UserError("corpus.source", message, { fix, cause: error });
  });
  if ((await stat(root)).isDirectory()) return root;
  throw new UserError("corpus.source", `source ${origin}: expected a folder at ${path}, got a file`, {
    fix: "Name the folder that holds the file",
  });
}

async function* files(
  root: string,
  config: DirectoryConfig,
  stated: string,
  gate: Gate,
  options: ReadSourceOptions,
): AsyncGenerator<SourceEvent> {
  const chosen = chooser(config);
  const largest = options.maxFileBytes ?? MAX_FILE_BYTES;
  for await (const found of walk(root, (folder) => options.enter?.(folder) ?? true, options.signal)) {
    if ("error" in found) {
      yield gate.skipped(found.path, "unreadable", found.error);
      continue;
    }
    const { path } = found;
    if (!chosen(path) || !options.accept(path)) continue;
    try {
      const { size } = await lstat(join(root, path));
      if (size > largest) yield gate.skipped(path, "too-large", `${size} bytes`);
      else yield gate.file(path, await readFile(join(root, path)), stated);
    } catch (error) {
      yield gate.skipped(path, "unreadable", errnoOf(error) ?? messageOf(error));
    }
  }
}

type Found = { readonly path: string } | { readonly path: string; readonly error: string };

/** Plain files below a folder, in the order of their whole paths by code units, whatever the file system's. */
async function* walk(
  root: string,
  enter: (folder: string) => boolean,
  signal?: AbortSignal,
  folder = "",
): AsyncGenerator<Found> {
  signal?.throwIfAborted();
  let entries: Dirent[];
  try {
    entries = await readdir(join(root, folder), { withFileTypes: true });
  } catch (error) {
    yield { path: folder, error: errnoOf(error) ?? messageOf(error) };
    return;
  }
  // With the slash of a folder the names sort as the paths do: `a.c` before `a/b.c` before `a0.c`.
  const named = entries
    .filter((entry) => entry.isDirectory() || entry.isFile())
    .map((entry) => ({ path: `${folder}${entry.name}${entry.isDirectory() ? "/" : ""}`, isFile: entry.isFile() }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path, isFile } of named) {
    if (isFile) yield { path };
    else if (enter(path)) yield* walk(root, enter, signal, path);
  }
}

/** Hash over the paths and contents of all source files. */
async function contentHash(root: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const found of walk(root, (folder) => !/(^|\/)(\.[^/]*|node_modules)\/$/.test(folder))) {
    if ("error" in found || languageOfPath(found.path) === undefined) continue;
    try {
      const { size } = await lstat(join(root, found.path));
      hash.update(`${found.path}\0${size}\0`);
      if (size <= MAX_FILE_BYTES) hash.update(await readFile(join(root, found.path)));
    } catch (error) {
      hash.update(`${found.path}\0${errnoOf(error)}\0`);
    }
  }
  return hash.digest("hex");
}

/** What the folder's own `package.json` says, else its licence files, all of them together. */
async function statedLicence(root: string): Promise<string> {
  const manifest = await readFile(join(root, "package.json"), "utf8").catch(() => undefined);
  const said = manifest === undefined ? UNKNOWN : packageJsonLicence(manifest);
  if (said !== UNKNOWN) return toSpdx(said);
  const names = (await readdir(root).catch(() => [])).filter(isLicenceFile).sort();
  return licenceOfTexts(await Promise.all(names.map((name) => head(join(root, name)).catch(() => "")))) ?? UNKNOWN;
}

async function head(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(65_536));
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
