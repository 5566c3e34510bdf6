import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
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
    const plan = this.plan(config, earlier);
    if (!("candidates" in plan)) return plan;
    let outcome: Outcome = failed("not attempted");
    for (const candidate of plan.candidates.slice(0, CANDIDATES)) {
      const note = earlier?.resolved === candidate ? earlier.note : plan.note(candidate);
      outcome = await this.download(config, candidate, note, partial, signal);
      if (outcome.ok || !GONE.test(outcome.why)) return outcome;
    }
    return outcome;
  }

  /**
   * Downloads packages of one form with one call of apt, whose start takes longer than many a download. What the archive
   * no longer has is left out; if anything else fails, all are.
   *
   * @returns what came, by entry; the others are to be fetched one by one, which tells what is wrong with each
   */
  async fetchGroup(
    configs: readonly DebianConfig[],
    partial: string,
    signal?: AbortSignal,
  ): Promise<Map<DebianConfig, Locked>> {
    const plans = configs.flatMap((config) => {
      const plan = this.plan(config);
      return "candidates" in plan
        ? [{ config, version: plan.candidates[0]!, note: plan.note(plan.candidates[0]!) }]
        : [];
    });
    const locked = new Map<DebianConfig, Locked>();
    const form = configs[0]?.form;
    if (form === undefined) return locked;
    const place = join(partial, "group");
    await mkdir(place);
    let left = plans;
    let result: RunResult | undefined;
    for (let attempt = 0; attempt < 2 && result?.code !== 0 && left.length > 1; attempt++) {
      const requests = new Set(left.map(({ config, version }) => `${config.package}=${version}`));
      result = await this.run(form, [...requests], place, signal);
      const gone = result.stderr.split("\n").filter((line) => GONE.test(line));
      if (result.code !== 0 && gone.length === 0) return locked;
      left = left.filter(({ config }) => !gone.some((line) => line.includes(`/${config.package}_`)));
    }
    if (result?.code !== 0) return locked; // Files of a call that failed may be half ones.
    const kept = new Map<string, Locked>();
    for (const { config, version, note } of left) {
      const folder = folderOf(config, version);
      let one = kept.get(folder);
      if (one === undefined) {
        const names = await filesOf(config, version, place);
        if (names.length === 0) continue;
        const own = join(partial, `${kept.size}`);
        await mkdir(own);
        for (const name of names) await rename(join(place, name), join(own, name));
        kept.set(folder, (one = await this.keep(own, folder, version)));
      }
      locked.set(config, { ...one, ...(note === undefined ? {} : { note }) });
    }
    return locked;
  }

  /** Versions to try in their order, and what the lock says of each; or why there is none. */
  private plan(
    config: DebianConfig,
    earlier?: Locked,
  ): Outcome | { candidates: string[]; note: (candidate: string) => string | undefined } {
    const { version, form } = config;
    const there = this.versions.get(keyOf(config.package, form)) ?? [];
    if (there.length === 0) return failed(`there is no ${form} package ${config.package}`);
    const exact = isExactDebian(version);
    const range = config.range ?? (exact ? `>= ${version}` : version);
    const first = [earlier?.resolved, exact ? version : undefined].filter((one) => one !== undefined);
    const candidates = [...new Set([...first.filter((one) => there.includes(one)), ...inRange(there, range)])];
    const [wanted] = candidates;
    if (wanted === undefined) return failed(`expected a version ${range}, got ${[...new Set(there)].join(", ")}`);
    const asked = exact ? version : wanted;
    return {
      candidates,
      note: (candidate) => (candidate === asked ? undefined : substitution(asked, candidate, range)),
    };
  }

  private async download(
    config: DebianConfig,
    version: string,
    note: string | undefined,
    partial: string,
    signal?: AbortSignal,
  ): Promise<Outcome> {
    const place = join(partial, safe(version));
    await mkdir(place);
    const result = await this.run(config.form, [`${config.package}=${version}`], place, signal);
    if (result.code !== 0) {
      const why = complaint(result.stderr, `apt-get ended with ${result.code}`);
      return failed(why, !GONE.test(why));
    }
    const locked = await this.keep(place, folderOf(config, version), version);
    if (locked.files.length === 0) return failed("apt-get wrote no package");
    return { ok: true, locked: { ...locked, ...(note === undefined ? {} : { note }) } };
  }

  private async run(
    form: DebianConfig["form"],
    requests: readonly string[],
    cwd: string,
    signal?: AbortSignal,
  ): Promise<RunResult> {
    const command = form === "source" ? ["source", "--download-only", "--only-source"] : ["download"];
    return runProgram("apt-get", [...this.options, "-q", ...command, ...requests], { cwd, signal, env });
  }

  /** Moves a folder of downloaded files into the cache; one without any stays. */
  private async keep(place: string, folder: string, resolved: string): Promise<Locked> {
    const names = (await readdir(place)).filter((name) => !name.startsWith(".")).sort();
    if (names.length === 0) return { resolved, files: [] };
    await rm(join(this.cache, folder), { recursive: true, force: true });
    await mkdir(dirname(join(this.cache, folder)), { recursive: true });
    await rename(place, join(this.cache, folder));
    return { resolved, files: await Promise.all(names.map((name) => lockedFile(this.cache, `${folder}/${name}`))) };
  }
}

/** Versions tried of one package. */
const CANDIDATES = 3;
/** The list of packages names a file that the archive no longer has. */
const GONE = /\b404\b/;

function keyOf(name: string, form: "source" | "binary"): string {
  return `${form}:${name}`;
}

/** A version as part of a file's name. */
function safe(version: string): string {
  return version.replace(/[^\w.+~-]/g, "_");
}

/** Where the cache keeps a package. */
function folderOf(config: DebianConfig, version: string): string {
  return `debian-${config.form}/${config.package}_${safe(version)}`;
}

/** Which files of a folder of several packages belong to one: of a source package what its description lists. */
async function filesOf(config: DebianConfig, version: string, place: string): Promise<string[]> {
  const names = await readdir(place);
  if (config.form === "binary") {
    const stem = `${config.package}_${version.replaceAll(":", "%3a")}_`;
    return names.filter((name) => name.startsWith(stem) && name.endsWith(".deb"));
  }
  const description = `${config.package}_${version.replace(/^\d+:/, "")}.dsc`;
  if (!names.includes(description)) return [];
  const listed = (await readFile(join(place, description), "utf8")).matchAll(/^ [0-9a-f]{32,} \d+ (\S+)$/gm);
  const wanted = [...new Set([description, ...[...listed].map(([, name]) => name!)])];
  return wanted.every((name) => names.includes(name)) ? wanted : [];
}
