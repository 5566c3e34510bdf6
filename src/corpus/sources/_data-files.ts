import { createHash } from "node:crypto";
import { open, readdir, stat } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { errnoOf, UserError } from "../../base/index.js";

export interface DataFile {
  readonly file: string;
  /** Relative to the source's path, with forward slashes. */
  readonly name: string;
  readonly bytes: number;
}

/**
 * The files of a data set: one, or all below a folder whose names end in one of `endings`, sorted.
 *
 * @throws UserError `corpus.source` if there is none
 */
export async function dataFiles(path: string, endings: readonly string[], origin: string): Promise<DataFile[]> {
  const info = await stat(path).catch((error: unknown) => {
    throw new UserError("corpus.source", `source ${origin}: expected data at ${path}, got ${errnoOf(error)}`, {
      fix: "Correct the path",
      cause: error,
    });
  });
  if (info.isFile()) return [{ file: path, name: basename(path), bytes: info.size }];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ file, name: relative(path, file).split(sep).join("/") }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (files.length === 0) {
    throw new UserError(
      "corpus.source",
      `source ${origin}: expected files ending in ${endings.join(", ")} in ${path}`,
      {
        fix: "Correct the path",
      },
    );
  }
  return Promise.all(files.map(async (one) => ({ ...one, bytes: (await stat(one.file)).size })));
}

const SAMPLE = 65_536;

/** Hash over names, sizes, beginnings and ends: data sets are too large to be read twice. */
export async function sampledHash(files: readonly DataFile[]): Promise<string> {
  const hash = createHash("sha256");
  for (const { file, name, bytes } of files) {
    hash.update(`${name}\0${bytes}\0`);
    const handle = await open(file);
    try {
      for (const position of new Set([0, Math.max(0, bytes - SAMPLE)])) {
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(SAMPLE), 0, SAMPLE, position);
        hash.update(buffer.subarray(0, bytesRead));
      }
    } finally {
      await handle.close();
    }
  }
  return hash.digest("hex");
}
