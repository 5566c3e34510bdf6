import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, messageOf, sha256File, UserError, writeFileAtomic } from "../base/index.js";
import { FILES } from "./_files.js";

/** SHA-256, lower-case hexadecimal, by path relative to the model folder. */
export type Checksums = Readonly<Record<string, string>>;

const FIX = "Fetch the model folder again, or write it again with `lodestone pretrain`";

/** Hashes files of a folder and writes `checksums.json`. */
export async function writeChecksums(folder: string, names: readonly string[]): Promise<void> {
  const sums: Record<string, string> = {};
  for (const name of names) sums[name] = await sha256File(join(folder, name));
  await writeFileAtomic(join(folder, FILES.checksums), `${JSON.stringify({ sha256: sums }, null, 2)}\n`);
}

/** @throws UserError `model.missing` (no such folder, or not complete), `model.corrupt` */
export async function readChecksums(folder: string): Promise<Checksums> {
  const path = join(folder, FILES.checksums);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new UserError(
      "model.missing",
      `${folder}: expected a model folder with ${FILES.checksums}, got ${errnoOf(error) ?? messageOf(error)}`,
      {
        fix: "Point to a folder written by `lodestone pretrain` or `lodestone quickstart`",
        cause: error,
      },
    );
  });
  try {
    const { sha256 } = JSON.parse(text) as { sha256?: unknown };
    if (typeof sha256 === "object" && sha256 !== null) return sha256 as Checksums;
  } catch {
    // Told below.
  }
  throw new UserError("model.corrupt", `${path}: expected {"sha256": {FILE: HASH}}, got something else`, { fix: FIX });
}

/**
 * Compares one file with its recorded hash. Called for each file right before it is used.
 *
 * @throws UserError `model.missing-file`, `model.corrupt` with the expected and the found hash
 */
export async function verifyFile(folder: string, name: string, sums: Checksums): Promise<void> {
  const path = join(folder, name);
  const expected = sums[name];
  if (expected === undefined) {
    throw new UserError("model.missing-file", `${path}: expected the file in ${FILES.checksums}, got no entry`, {
      fix: FIX,
    });
  }
  const found = await sha256File(path).catch((error: unknown) => {
    throw new UserError(
      "model.missing-file",
      `${path}: expected a file of hash ${expected}, got ${errnoOf(error) ?? messageOf(error)}`,
      {
        fix: FIX,
        cause: error,
      },
    );
  });
  if (found !== expected) {
    throw new UserError("model.corrupt", `${path}: expected SHA-256 ${expected}, got ${found}`, { fix: FIX });
  }
}
