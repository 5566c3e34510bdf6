import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { errnoOf, messageOf, parseConfig, sha256File, UserError, writeFileAtomic } from "../../base/index.js";
import { isLocalRepository, isMirrorName } from "./_git.js";
import type { DebianConfig, GitConfig, NpmConfig, SourceConfig } from "./schema.js";

/** Sources that have to be fetched before they can be read. */
export type FetchedConfig = NpmConfig | DebianConfig | GitConfig;

const lockedFileSchema = z.strictObject({
  /** Inside the cache, with forward slashes. */
  path: z.string(),
  sha256: z.string(),
  bytes: z.number(),
});
const lockedSchema = z.strictObject({
  /** Exact version, or commit. */
  resolved: z.string(),
  /** What differs from what was asked for. */
  note: z.string().optional(),
  files: z.array(lockedFileSchema),
});
const lockSchema = z.strictObject({
  format: z.literal("lodestone-corpus-lock"),
  version: z.literal(1),
  packages: z.record(z.string(), lockedSchema),
});

export type Locked = z.output<typeof lockedSchema>;
export type LockedFile = z.output<typeof lockedFileSchema>;

/** `lock.json` of a cache: what every entry of a recipe was resolved to, and the checksums of its files. */
export class Lock {
  /** Ends when no write is under way. */
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly cache: string,
    private readonly packages: Map<string, Locked>,
  ) {}

  /** Reads it; an absent one is empty. @throws UserError `lock.invalid`, `config.*` */
  static async read(cache: string): Promise<Lock> {
    const path = join(cache, "lock.json");
    let value: unknown;
    try {
      value = JSON.parse(await readFile(path, "utf8"));
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return new Lock(cache, new Map());
      throw new UserError("lock.invalid", `${path}: expected JSON, got ${errnoOf(error) ?? messageOf(error)}`, {
        fix: "Remove it: what it lists is then downloaded again",
        cause: error,
      });
    }
    return new Lock(cache, new Map(Object.entries(parseConfig(lockSchema, value, path).packages)));
  }

  get(config: FetchedConfig): Locked | undefined {
    return this.packages.get(lockKey(config));
  }

  /**
   * Notes an entry and writes the file, sorted, so that the same downloads give the same bytes. Downloads run at the same
   * time: one write waits for the one before it.
   */
  async set(config: FetchedConfig, locked: Locked): Promise<void> {
    this.packages.set(lockKey(config), locked);
    const write = this.writing.then(() => this.write());
    this.writing = write.catch(() => undefined);
    await write;
  }

  private async write(): Promise<void> {
    const packages = Object.fromEntries([...this.packages].sort(([a], [b]) => (a < b ? -1 : 1)));
    const lock = { format: "lodestone-corpus-lock", version: 1, packages };
    await writeFileAtomic(join(this.cache, "lock.json"), `${JSON.stringify(lock, null, 1)}\n`);
  }
}

/** What a recipe's entry is called in the lock: what it asks for, not what it chooses from that. */
export function lockKey(config: FetchedConfig): string {
  if (config.kind === "npm") return `npm:${config.name}@${request(config)}`;
  if (config.kind === "git") return `git:${config.repository}@${config.commit}`;
  return `debian-${config.form}:${config.package}@${request(config)}`;
}

function request({ version, range }: { version: string; range?: string | undefined }): string {
  return range === undefined ? version : `${version} or ${range}`;
}

export function isFetched(config: SourceConfig): config is FetchedConfig {
  return config.kind === "npm" || config.kind === "debian" || config.kind === "git";
}

/** A file of the cache as the lock lists it. */
export async function lockedFile(cache: string, path: string): Promise<LockedFile> {
  const absolute = join(cache, path);
  return { path, sha256: await sha256File(absolute), bytes: (await stat(absolute)).size };
}

/** Whether all files are there and have the recorded sizes and checksums. */
export async function isIntact(cache: string, { files }: Locked): Promise<boolean> {
  for (const { path, sha256, bytes } of files) {
    const info = await stat(join(cache, path)).catch(() => undefined);
    if (info?.size !== bytes || (await sha256File(join(cache, path))) !== sha256) return false;
  }
  return true;
}

/** `npm:three`, `debian:dpdk`, `git:owner/name`. */
export function originOf(config: FetchedConfig): string {
  if (config.kind === "git") return gitOrigin(config.repository);
  return config.kind === "npm" ? `npm:${config.name}` : `debian:${config.package}`;
}

/** `git:owner/name`; of a URL or folder its last part, without what might be a secret. */
export function gitOrigin(repository: string): string {
  if (isMirrorName(repository)) return `git:${repository}`;
  const parts = repository
    .replace(/\/+$/, "")
    .replace(/\.git$/, "")
    .split(/[/:]/);
  return `git:${isLocalRepository(repository) ? basename(parts.join("/")) : parts.slice(-2).join("/")}`;
}
