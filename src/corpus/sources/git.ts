import { existsSync } from "node:fs";
import { messageOf } from "../../base/index.js";
import { cachedRepository } from "./_cache-paths.js";
import { chooser, fingerprintOf } from "./_choose.js";
import { Gate, MAX_FILE_BYTES } from "./_gate.js";
import { findMirror, git, gitDirectory, isLocalRepository, isMirrorName, resolveCommit, startGit } from "./_git.js";
import { ByteReader } from "./_reader.js";
import { unavailable } from "./_unavailable.js";
import { toSpdx, UNKNOWN, type LicenceRules } from "./licences/expression.js";
import { packageJsonLicence } from "./licences/package-json.js";
import { isLicenceFile, isLicenceFolder, licenceOfTexts } from "./licences/text.js";
import { gitOrigin } from "./lock.js";
import type { GitConfig } from "./schema.js";
import type { ReadSourceOptions, Source, SourceEvent } from "./types.js";

export interface GitPlaces {
  readonly cache?: string | undefined;
  readonly mirrors?: string | undefined;
}

/**
 * Where a repository's objects are on this machine, without fetching anything.
 *
 * @returns its git directory, or why there is none
 */
export function locateRepository(repository: string, { cache, mirrors }: GitPlaces): { dir: string } | { why: string } {
  if (isMirrorName(repository)) {
    if (mirrors === undefined)
      return { why: `${repository} is looked up among mirrors, and no folder of them was given` };
    const dir = findMirror(mirrors, repository);
    return dir === undefined ? { why: `no mirror of ${repository} in ${mirrors}` } : { dir };
  }
  if (isLocalRepository(repository)) {
    const dir = gitDirectory(repository);
    return dir === undefined ? { why: `${repository} is not a git repository` } : { dir };
  }
  if (cache === undefined) return { why: "a URL is read from the cache, and none was given" };
  const dir = cachedRepository(cache, repository);
  return existsSync(dir) ? { dir } : { why: "not in the cache: run corpus fetch" };
}

/** A commit of a repository, read from its objects: nothing is checked out. */
export async function openGit(config: GitConfig, places: GitPlaces, rules: LicenceRules): Promise<Source> {
  const origin = gitOrigin(config.repository);
  const found = locateRepository(config.repository, places);
  if ("why" in found) return unavailable(config, origin, found.why);
  const { dir } = found;
  try {
    const wanted = await resolveCommit(dir, config.commit);
    const commit = wanted ?? (await resolveCommit(dir, "HEAD"));
    if (commit === undefined) return unavailable(config, origin, `neither ${config.commit} nor HEAD is a commit`);
    const stated = config.licence ?? (await statedLicence(dir, commit));
    const gate = new Gate(origin, commit, rules, false);
    return {
      origin,
      version: commit,
      fingerprint: fingerprintOf(config, commit),
      required: config.required,
      ...(wanted === undefined ? { note: `wanted ${config.commit}, which the repository lacks; took its HEAD` } : {}),
      config,
      items: (options) => files(dir, commit, config, stated, gate, options),
    };
  } catch (error) {
    return unavailable(config, origin, messageOf(error));
  }
}

interface Entry {
  readonly hash: string;
  /** Undefined: the object is not there (a partial clone). */
  readonly size: number | undefined;
  readonly path: string;
}

/** Objects asked for ahead: enough to keep `git` busy, few enough that the requests fit into a pipe. */
const AHEAD = 64;

async function* files(
  dir: string,
  commit: string,
  config: GitConfig,
  stated: string,
  gate: Gate,
  options: ReadSourceOptions,
): AsyncGenerator<SourceEvent> {
  const chosen = chooser(config);
  const largest = options.maxFileBytes ?? MAX_FILE_BYTES;
  const cat = startGit(dir, ["cat-file", "--batch"]);
  const replies = new ByteReader(cat.stdout as AsyncIterable<Uint8Array>);
  const waiting: Entry[] = [];
  async function* answer(): AsyncGenerator<SourceEvent> {
    cat.stdin.write(waiting.map(({ hash }) => `${hash}\n`).join(""));
    for (const { path } of waiting.splice(0)) {
      const header = await replies.line();
      if (header === undefined) throw new Error("git cat-file ended early");
      const size = / blob (\d+)$/.exec(header)?.[1];
      if (size === undefined) {
        yield gate.skipped(path, "missing", header.replace(/^[0-9a-f]+ /, ""));
        continue;
      }
      const bytes = await replies.bytes(Number(size) + 1);
      if (bytes === undefined) throw new Error("git cat-file ended early");
      yield gate.file(path, bytes.subarray(0, -1), stated);
    }
  }
  try {
    for await (const entry of entries(dir, commit)) {
      options.signal?.throwIfAborted();
      if (!chosen(entry.path) || !options.accept(entry.path)) continue;
      if (entry.size === undefined) yield gate.skipped(entry.path, "missing", "the repository is a partial one");
      else if (entry.size > largest) yield gate.skipped(entry.path, "too-large", `${entry.size} bytes`);
      else if (waiting.push(entry) >= AHEAD) yield* answer();
    }
    if (waiting.length > 0) yield* answer();
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    cat.stop();
    const { stderr } = await cat.end;
    yield gate.skipped("", "unreadable", [messageOf(error), stderr].filter((part) => part !== "").join(": "));
  } finally {
    cat.stdin.end();
    cat.stop();
    await cat.end;
  }
}

/** The plain files of a commit; links and submodules are left alone. */
async function* entries(dir: string, commit: string): AsyncGenerator<Entry> {
  const list = startGit(dir, ["ls-tree", "-r", "-z", "-l", "--full-tree", commit]);
  list.stdin.end();
  try {
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of list.stdout as AsyncIterable<Buffer>) {
      const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = data.indexOf(0); end !== -1; end = data.indexOf(0, start)) {
        const entry = /^100(?:644|755|664) blob ([0-9a-f]+) +(\d+|BAD|-)\t([^]+)$/.exec(
          data.toString("utf8", start, end),
        );
        if (entry !== null) {
          const [, hash, size, path] = entry as unknown as [string, string, string, string];
          yield { hash, size: /^\d+$/.test(size) ? Number(size) : undefined, path };
        }
        start = end + 1;
      }
      rest = data.subarray(start);
    }
    const { code, stderr } = await list.end;
    if (code !== 0) throw new Error(stderr || `git ls-tree ended with ${code}`);
  } finally {
    list.stop();
  }
}

/**
 * What the licence files in the root say, all of them together; else those in its folder of licences; else
 * `package.json`.
 */
async function statedLicence(dir: string, commit: string): Promise<string> {
  const inRoot = await namesIn(dir, commit, "");
  const read = async (name: string): Promise<string> =>
    (await git(dir, ["cat-file", "blob", `${commit}:${name}`])).stdout;
  const texts = async (entries: readonly Named[]): Promise<string | undefined> =>
    licenceOfTexts(await Promise.all(entries.filter(({ isFile }) => isFile).map(({ name }) => read(name))));
  const said = await texts(inRoot.filter(({ name }) => isLicenceFile(name)));
  if (said !== undefined) return said;
  const folder = inRoot.find(({ isFile, name }) => !isFile && isLicenceFolder(name))?.name;
  if (folder !== undefined) {
    // In `licenses/` every text is one, in `legal/` those are that are called so.
    const every = !/^legal$/i.test(folder);
    const inFolder = await texts(
      (await namesIn(dir, commit, `${folder}/`)).filter(
        ({ name }) => isLicenceFile(name.slice(folder.length + 1)) || (every && /\.txt$/i.test(name)),
      ),
    );
    if (inFolder !== undefined) return inFolder;
  }
  const manifest = inRoot.some(({ name }) => name === "package.json");
  return manifest ? toSpdx(packageJsonLicence(await read("package.json"))) : UNKNOWN;
}

interface Named {
  readonly isFile: boolean;
  readonly name: string;
}

/** Plain files and folders of a folder (empty, or with a slash at its end). */
async function namesIn(dir: string, commit: string, folder: string): Promise<Named[]> {
  const place = folder === "" ? [] : [folder];
  const { stdout } = await git(dir, ["ls-tree", "-z", "--full-tree", commit, ...place]);
  return [...stdout.matchAll(/(100|040)\d{3} (?:blob|tree) [0-9a-f]+\t([^\0]+)\0/g)].map(([, mode, name]) => ({
    isFile: mode === "100",
    name: name!,
  }));
}
