import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isExactDebian, newestInRange } from "../debian-version.js";
import { runProgram, type RunResult } from "../_run.js";
import { lockedFile, type Locked } from "../lock.js";
import type { DebianConfig } from "../schema.js";
import { privateApt } from "./_apt-sources.js";
import { complaint, failed, substitution, type Outcome } from "./_outcome.js";

/** Messages of one language, whatever the user's. */
const env = { LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" };

/** The user's apt, with lists of packages of our own. */
export class Apt {
  private constructor(
    private readonly cache: string,
    private readonly options: readonly string[],
    private readonly versions: ReadonlyMap<string, readonly string[]>,
  ) {}

  /**
   * Brings the lists of packages up to date and looks up what there is.
   *
   * @returns it, or why it cannot be used
   * @throws ProgramMissing; the signal's reason
   */
  static async open(cache: string, packages: readonly DebianConfig[], signal?: AbortSignal): Promise<Apt | Outcome> {
    const options = await privateApt(join(cache, "apt"), signal);
    const update = await runProgram("apt-get", [...options, "update", "-q"], { signal, env });
    const names = [...new Set(packages.map((one) => one.package))];
    const list = await runProgram("apt-cache", [...options, "madison", ...names], { signal, env });
    const versions = new Map<string, string[]>();
    for (const line of list.stdout.split("\n")) {
      const [name, version, origin] = line.split("|").map((part) => part.trim());
      if (name === undefined || version === undefined || origin === undefined) continue;
      const key = keyOf(name, / Sources$/.test(origin) ? "source" : "binary");
      versions.set(key, [...(versions.get(key) ?? []), version]);
    }
    // Lists of an earlier run do as well; without any nothing can be looked up. A failed update is no failure to apt.
    const unreachable = update.code !== 0 || /^(W: Failed to fetch|Err:)/m.test(update.stderr + update.stdout);
    if (versions.size === 0 && unreachable) return failed(complaint(update.stderr, "apt-get update failed"), true);
    return new Apt(cache, options, versions);
  }

  /** Downloads one package, which apt checks against the archive's signed lists. */
  async fetch(
    config: DebianConfig,
    earlier: Locked | undefined,
    partial: string,
    signal?: AbortSignal,
  ): Promise<Outcome> {
    const chosen = this.choose(config, earlier);
    if ("ok" in chosen) return chosen;
    const request = `${config.package}=${chosen.version}`;
    const command =
      config.form === "source" ? ["source", "--download-only", "--only-source", request] : ["download", request];
    const result: RunResult = await runProgram("apt-get", [...this.options, "-q", ...command], {
      cwd: partial,
      signal,
      env,
    });
    if (result.code !== 0) return failed(complaint(result.stderr, `apt-get ended with ${result.code}`), true);
    const names = (await readdir(partial)).filter((name) => !name.startsWith(".")).sort();
    if (names.length === 0) return failed("apt-get wrote no package");
    const folder = `debian-${config.form}/${config.package}_${chosen.version.replace(/[^\w.+~-]/g, "_")}`;
    await rm(join(this.cache, folder), { recursive: true, force: true });
    await mkdir(dirname(join(this.cache, folder)), { recursive: true });
    await rename(partial, join(this.cache, folder));
    const files = await Promise.all(names.map((name) => lockedFile(this.cache, `${folder}/${name}`)));
    const { note } = chosen;
    return { ok: true, locked: { resolved: chosen.version, ...(note === undefined ? {} : { note }), files } };
  }

  /** The earlier version if it is still there, else the one wanted, else the newest in the range. */
  private choose(config: DebianConfig, earlier: Locked | undefined): { version: string; note?: string } | Outcome {
    const { version } = config;
    const there = this.versions.get(keyOf(config.package, config.form)) ?? [];
    if (there.length === 0) return failed(`there is no ${config.form} package ${config.package}`);
    if (earlier !== undefined && there.includes(earlier.resolved)) {
      return { version: earlier.resolved, ...(earlier.note === undefined ? {} : { note: earlier.note }) };
    }
    const exact = isExactDebian(version);
    if (exact && there.includes(version)) return { version };
    const range = config.range ?? (exact ? `>= ${version}` : version);
    const newest = newestInRange(there, range);
    if (newest === undefined) return failed(`expected a version ${range}, got ${[...new Set(there)].join(", ")}`);
    return exact ? { version: newest, note: substitution(version, newest, range) } : { version: newest };
  }
}

function keyOf(name: string, form: "source" | "binary"): string {
  return `${form}:${name}`;
}
