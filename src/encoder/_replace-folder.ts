import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { errnoOf, logWrite, UserError, writeError } from "../base/index.js";

/**
 * Fills a temporary sibling folder and puts it in the place of `target` when it is complete. Until then an existing
 * target stays as it is; when `fill` fails, nothing is left behind.
 *
 * @param isOurs names that show that an existing target may be replaced; a folder that holds something else is refused
 * @throws UserError `output.not-ours`, `output.unwritable`, `output.full`
 */
export async function replaceFolder(
  target: string,
  isOurs: (names: readonly string[]) => boolean,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const final = resolve(target);
  const sibling = (what: string): string => join(dirname(final), `.${basename(final)}.${process.pid}.${what}`);
  const [temporary, old] = [sibling("partial"), sibling("old")];
  const existing = await namesIn(final);
  if (existing !== undefined && existing.length > 0 && !isOurs(existing)) {
    throw new UserError(
      "output.not-ours",
      `${target}: expected a new or empty folder or a model folder, got one with ${existing[0]}`,
      {
        fix: "Choose another output folder",
      },
    );
  }
  try {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    await fill(temporary);
    logWrite("rename", final, 0);
    if (existing !== undefined) await rename(final, old);
    await rename(temporary, final);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    if (existing !== undefined && (await namesIn(final)) === undefined) await rename(old, final).catch(() => undefined);
    throw writeError(target, error);
  }
  await rm(old, { recursive: true, force: true });
}

/** Undefined where there is no such folder. */
async function namesIn(folder: string): Promise<string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw writeError(folder, error);
  }
}
