import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { inRange, isExactDebian } from "../debian-version.js";
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

  /**
   * Downloads one package, which apt checks against the archive's signed lists: the earlier version if it is still
   * listed, else the one wanted, else the newest in the range. A version that is listed and yet gone gives way to the
   * next one.
   */
  async fetch(
    config: DebianConfig,
    earlier: Locked | undefined,
    partial: string,
    signal?: AbortSignal,
  ): Promise<Outcome> {
    const { version, form } = config;
    const there = this.versions.get(keyOf(config.package, form)) ?? [];
    if (there.length === 0) return failed(`there is no ${form} package ${config.package}`);
    const exact = isExactDebian(version);
    const range = config.range ?? (exact ? `>= ${version}` : version);
    const first = [earlier?.resolved, exact ? version : undefined].filter((one) => one !== undefined);
    const candidates = [...new Set([...first.filter((one) => there.includes(one)), ...inRange(there, range)])];
    const [wanted] = candidates;
    if (wanted === undefined) return failed(`expected a version ${range}, got ${[...new Set(there)].join(", ")}`);
    let outcome: Outcome = failed("not attempted");
    for (const candidate of candidates.slice(0, CANDIDATES)) {
      const asked = exact ? version : wanted;
      const note = candidate === asked ? undefined : substitution(asked, candidate, range);
      const kept = earlier?.resolved === candidate ? earlier.note : note;
      outcome = await this.download(config, candidate, kept, partial, signal);
      if (outcome.ok || !GONE.test(outcome.why)) return outcome;
    }
    return outcome;
  }

  private async download(
    config: DebianConfig,
    version: string,
    note: string | undefined,
    partial: string,
    signal?: AbortSignal,
  ): Promise<Outcome> {
    const place = join(partial, version.replace(/[^\w.+~-]/g, "_"));
    await mkdir(place);
    const request = `${config.package}=${version}`;
    const command =
      config.form === "source" ? ["source", "--download-only", "--only-source", request] : ["download", request];
    const options = { cwd: place, signal, env };
    const result: RunResult = await runProgram("apt-get", [...this.options, "-q", ...command], options);
    if (result.code !== 0) {
      const why = complaint(result.stderr, `apt-get ended with ${result.code}`);
      return failed(why, !GONE.test(why));
    }
    const names = (await readdir(place)).filter((name) => !name.startsWith(".")).sort();
    if (names.length === 0) return failed("apt-get wrote no package");
    const folder = `debian-${config.form}/${config.package}_${basename(place)}`;
    await rm(join(this.cache, folder), { recursive: true, force: true });
    await mkdir(dirname(join(this.cache, folder)), { recursive: true });
    await rename(place, join(this.cache, folder));
    const files = await Promise.all(names.map((name) => lockedFile(this.cache, `${folder}/${name}`)));
    return { ok: true, locked: { resolved: version, ...(note === undefined ? {} : { note }), files } };
  }
}

/** Versions tried of one package. */
const CANDIDATES = 3;
/** The list of packages names a file that the archive no longer has. */
const GONE = /\b404\b/;

function keyOf(name: string, form: "source" | "binary"): string {
  return `${form}:${name}`;
}
