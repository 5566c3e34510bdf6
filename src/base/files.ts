import { accessSync, appendFileSync, constants, existsSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { errnoOf, messageOf, UserError } from "./errors.js";

/** What a reader sees of a file is either the old content or the whole new one, never half of it. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  const writer = await AtomicFile.create(path);
  try {
    await writer.write(typeof content === "string" ? Buffer.from(content, "utf8") : content);
    await writer.commit();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** Bytes go to a temporary sibling; `commit` flushes it to disk and renames it over the target. */
export class AtomicFile {
  private constructor(
    private readonly target: string,
    private readonly temporary: string,
    private readonly handle: FileHandle,
  ) {}

  /** @throws UserError `output.unwritable` */
  static async create(target: string): Promise<AtomicFile> {
    const temporary = `${target}.${process.pid}.partial`;
    try {
      await mkdir(dirname(target), { recursive: true });
      const handle = await open(temporary, "w");
      return new AtomicFile(target, temporary, handle);
    } catch (error) {
      throw writeError(target, error);
    }
  }

  /** Appends bytes. @throws UserError `output.full`, `output.unwritable` */
  async write(bytes: Uint8Array): Promise<void> {
    logWrite("write", this.target, bytes.byteLength);
    try {
      let written = 0;
      while (written < bytes.byteLength) {
        // One call moves at most 2 GiB; 64 MiB pieces keep Ctrl-C responsive.
        const piece = bytes.subarray(written, Math.min(written + 64 * 2 ** 20, bytes.byteLength));
        const { bytesWritten } = await this.handle.write(piece);
        written += bytesWritten;
      }
    } catch (error) {
      throw writeError(this.target, error);
    }
  }

  /** Replaces bytes that were written before, such as a header that counts what follows. */
  async overwrite(bytes: Uint8Array, position: number): Promise<void> {
    logWrite("write", this.target, bytes.byteLength);
    try {
      await this.handle.write(bytes, 0, bytes.byteLength, position);
    } catch (error) {
      throw writeError(this.target, error);
    }
  }

  /** Makes the content durable and visible under the target's name. */
  async commit(): Promise<void> {
    try {
      await this.handle.sync();
      await this.handle.close();
      logWrite("rename", this.target, 0);
      await rename(this.temporary, this.target);
      await syncFolder(dirname(this.target));
    } catch (error) {
      throw writeError(this.target, error);
    }
  }

  /** Drops what was written; the target stays as it was. */
  async abort(): Promise<void> {
    await this.handle.close().catch(() => undefined);
    await rm(this.temporary, { force: true }).catch(() => undefined);
  }
}

/** Makes a rename within the folder durable, where its file system can. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined); // Some file systems refuse to sync folders; the rename still happened.
  await handle?.close();
}

/** Turns an operating system's refusal to write into an error that says what to do. */
export function writeError(path: string, error: unknown): Error {
  if (error instanceof UserError) return error;
  // Node's recursive mkdir says ENOENT where the real reason is above: a read-only file system, a missing permission.
  const code = errnoOf(error) === "ENOENT" ? (refusalAbove(path) ?? "ENOENT") : errnoOf(error);
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") {
    return new UserError("output.full", `${path}: expected room to write, got ${code} (${messageOf(error)})`, {
      fix: "Free some space or choose another output folder, then run again: what was complete before is untouched",
      cause: error,
    });
  }
  if (code !== undefined) {
    return new UserError("output.unwritable", `${path}: expected a writable place, got ${code}`, {
      fix: "Choose another output folder or change its permissions",
      cause: error,
    });
  }
  return error instanceof Error ? error : new Error(messageOf(error));
}

/** Why nothing can be made in the nearest folder above that exists. */
function refusalAbove(path: string): string | undefined {
  let folder = dirname(resolve(path));
  while (!existsSync(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK);
    return undefined;
  } catch (error) {
    return errnoOf(error);
  }
}

/**
 * Appends one line per write to the file named by `LODESTONE_WRITE_LOG`, before the write happens. Fault tests kill a
 * run at a line drawn from this log.
 */
export function logWrite(operation: string, path: string, bytes: number): void {
  const log = process.env["LODESTONE_WRITE_LOG"];
  if (log !== undefined && log !== "") appendFileSync(log, `${operation}\t${bytes}\t${path}\n`);
}

/**
 * Takes the folder for this process. The lock holds the process id, so that a lock left by a killed process is taken
 * over and a living one is refused.
 *
 * @returns the release function
 * @throws UserError `output.locked`
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, ".lock");
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await mkdir(folder, { recursive: true });
      const handle = await open(path, "wx");
      await handle.writeFile(`${process.pid} ${await startTime(process.pid)}\n`);
      await handle.close();
      return async () => rm(path, { force: true });
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw writeError(path, error);
      const pid = (await readFile(path, "utf8").catch(() => "")).split(" ")[0]!.trim();
      if (await isFolderLocked(folder)) {
        throw new UserError(
          "output.locked",
          `${folder}: expected a folder of its own, but process ${pid} is writing there`,
          {
            fix: "Wait for it to end, stop it, or choose another output folder",
          },
        );
      }
      const age = await stat(path).then(
        (info) => Date.now() - info.mtimeMs,
        () => Infinity,
      );
      if (pid === "" && age < 2000)
        await new Promise((resolve) => setTimeout(resolve, 500)); // Just being written.
      else
        await rm(path, { force: true }).catch((refused: unknown) => {
          throw writeError(path, refused);
        });
    }
  }
  throw new UserError("output.locked", `${folder}: another process takes and releases the folder's lock`, {
    fix: "Choose another output folder",
  });
}

/** Whether a living process holds {@link lockFolder}'s lock on a folder. */
export async function isFolderLocked(folder: string): Promise<boolean> {
  const [pid, started] = (await readFile(join(folder, ".lock"), "utf8").catch(() => "")).trim().split(" ");
  const holder = Number(pid);
  return Number.isInteger(holder) && holder > 0 && (await startTime(holder)) === started && isAlive(holder);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === "EPERM";
  }
}

/** Tells a living process from a later one with the same id, where the system shows it (Linux); else `-`. */
async function startTime(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "-";
}
