import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { lockFolder, messageOf, ProgressMeter, writeError, type ProgressEvent } from "../../../base/index.js";
import { isFetched, isIntact, Lock, originOf, type FetchedConfig, type Locked } from "../lock.js";
import { ProgramMissing } from "../_run.js";
import type { DebianConfig, Recipe } from "../schema.js";
import { Apt } from "./_apt.js";
import { fetchGit } from "./_git.js";
import { fetchNpm } from "./_npm.js";
import { failed, type Outcome } from "./_outcome.js";
import { inParallel } from "./_parallel.js";

export interface FetchOptions {
  readonly cache: string;
  readonly mirrors?: string | undefined;
  /** Downloads at the same time. Default 4. */
  readonly jobs?: number | undefined;
  /** Attempts at a download whose failure may be passing. Default 3. */
  readonly attempts?: number | undefined;
  /** Pause before the second attempt, doubled before each further one. Default 2. */
  readonly backoffSeconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FetchSummary {
  /** Entries of the recipe that have to be fetched. */
  readonly entries: number;
  readonly downloaded: number;
  /** There already, and intact. */
  readonly present: number;
  readonly failed: number;
  readonly requiredFailed: number;
  /** Of all files that are there now. */
  readonly bytes: number;
}

export type FetchEvent =
  | ProgressEvent
  | { readonly kind: "failed"; readonly origin: string; readonly why: string; readonly required: boolean }
  /** Another version than the one asked for was taken. */
  | { readonly kind: "note"; readonly origin: string; readonly note: string }
  | { readonly kind: "done"; readonly summary: FetchSummary };

/** After so many failures in a row that another attempt might mend, a registry is taken to be down. */
const DOWN_AFTER = 5;

/**
 * Downloads what a recipe names into a cache and records it in `lock.json`: versions, checksums, sizes. What is there and
 * intact stays; a download that was killed starts over, for that package only. What cannot be had is reported and the run
 * goes on.
 *
 * @throws UserError `output.*`, `lock.invalid`; the signal's reason
 */
export async function* fetchRecipe(recipe: Recipe, options: FetchOptions): AsyncGenerator<FetchEvent, FetchSummary> {
  const { cache, signal, jobs = 4 } = options;
  await mkdir(cache, { recursive: true }).catch((error: unknown) => {
    throw writeError(cache, error);
  });
  const release = await lockFolder(cache);
  try {
    const partials = join(cache, ".partial");
    await rm(partials, { recursive: true, force: true });
    await mkdir(partials);
    const configs = recipe.sources.filter(isFetched);
    const pending: ProgressEvent[] = [];
    const meter = new ProgressMeter("fetch", "sources", configs.length, (event) => pending.push(event));
    const fetcher = new Fetcher(options, await Lock.read(cache), partials, configs);
    const counts = { entries: configs.length, downloaded: 0, present: 0, failed: 0, requiredFailed: 0, bytes: 0 };
    let done = 0;
    for await (const { config, outcome, present } of fetcher.fetchAll(jobs)) {
      const origin = originOf(config);
      if (outcome.ok) {
        counts[present ? "present" : "downloaded"] += 1;
        counts.bytes += outcome.locked.files.reduce((sum, { bytes }) => sum + bytes, 0);
        if (outcome.locked.note !== undefined) yield { kind: "note", origin, note: outcome.locked.note };
      } else {
        counts.failed += 1;
        if (config.required) counts.requiredFailed += 1;
        yield { kind: "failed", origin, why: outcome.why, required: config.required };
      }
      meter.update(++done, origin);
      yield* pending.splice(0);
    }
    signal?.throwIfAborted();
    await rm(partials, { recursive: true, force: true });
    yield { kind: "done", summary: counts };
    return counts;
  } finally {
    await release();
  }
}

/** Packages that one call of apt downloads. Source packages are large: a call that was killed starts over. */
const GROUP = { binary: 20, source: 5 };

interface Fetched {
  readonly config: FetchedConfig;
  readonly outcome: Outcome;
  readonly present: boolean;
}

class Fetcher {
  private readonly failuresInARow = { npm: 0, debian: 0, git: 0 };
  private apt: Promise<Apt | Outcome> | undefined;

  constructor(
    private readonly options: FetchOptions,
    private readonly lock: Lock,
    private readonly partials: string,
    private readonly configs: readonly FetchedConfig[],
  ) {}

  /** Every entry's outcome, as they come. */
  async *fetchAll(jobs: number): AsyncGenerator<Fetched> {
    for await (const fetched of inParallel(this.groups(), jobs, (group) => this.fetchGroup(group))) yield* fetched;
  }

  /** What is fetched together: Debian's packages that the lock does not have yet; everything else one by one. */
  private groups(): FetchedConfig[][] {
    const groups: FetchedConfig[][] = [];
    const open = new Map<string, FetchedConfig[]>();
    for (const config of this.configs) {
      if (config.kind !== "debian" || this.lock.get(config) !== undefined) {
        groups.push([config]);
        continue;
      }
      let group = open.get(config.form);
      if (group === undefined || group.length >= GROUP[config.form]) {
        open.set(config.form, (group = []));
        groups.push(group);
      }
      group.push(config);
    }
    return groups;
  }

  private async fetchGroup(group: readonly FetchedConfig[]): Promise<Fetched[]> {
    const together =
      group.length > 1 ? await this.together(group as readonly DebianConfig[]) : new Map<unknown, Locked>();
    const fetched: Fetched[] = [];
    for (const config of group) {
      const locked = together.get(config);
      if (locked === undefined) fetched.push(await this.fetch(config));
      else {
        await this.lock.set(config, locked);
        fetched.push({ config, outcome: { ok: true, locked }, present: false });
      }
    }
    return fetched;
  }

  private async together(group: readonly DebianConfig[]): Promise<Map<DebianConfig, Locked>> {
    const { signal } = this.options;
    signal?.throwIfAborted();
    if (this.failuresInARow.debian >= DOWN_AFTER) return new Map();
    const partial = await mkdtemp(join(this.partials, "g"));
    try {
      const apt = await this.openApt();
      return apt instanceof Apt ? await apt.fetchGroup(group, partial, signal) : new Map();
    } catch (error) {
      if (signal?.aborted !== true && error instanceof ProgramMissing) return new Map();
      throw error;
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }

  private async fetch(config: FetchedConfig): Promise<Fetched> {
    this.options.signal?.throwIfAborted();
    const earlier = this.lock.get(config);
    if (earlier !== undefined && config.kind !== "git" && (await isIntact(this.options.cache, earlier))) {
      return { config, outcome: { ok: true, locked: earlier }, present: true };
    }
    const outcome = await this.withRetries(config, earlier);
    if (outcome.ok) await this.lock.set(config, outcome.locked);
    return {
      config,
      outcome,
      present: config.kind === "git" && outcome.ok && earlier?.resolved === outcome.locked.resolved,
    };
  }

  private async withRetries(config: FetchedConfig, earlier: Locked | undefined): Promise<Outcome> {
    const { attempts = 3, backoffSeconds = 2, signal } = this.options;
    let outcome = failed("not attempted");
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (config.kind !== "git" && this.failuresInARow[config.kind] >= DOWN_AFTER) {
        return failed(`the registry is taken to be down after ${DOWN_AFTER} failures in a row`, true);
      }
      if (attempt > 0) await sleep(backoffSeconds * 1000 * 2 ** (attempt - 1), undefined, { signal });
      outcome = await this.attempt(config, earlier);
      if (outcome.ok || !outcome.transient) {
        this.failuresInARow[config.kind] = 0;
        return outcome;
      }
    }
    this.failuresInARow[config.kind] += 1;
    return outcome;
  }

  private async attempt(config: FetchedConfig, earlier: Locked | undefined): Promise<Outcome> {
    const { cache, mirrors, signal } = this.options;
    const partial = await mkdtemp(join(this.partials, "p"));
    try {
      if (config.kind === "npm") return await fetchNpm(config, earlier, cache, partial, signal);
      if (config.kind === "git") return await fetchGit(config, cache, mirrors, partial, signal);
      const apt = await this.openApt();
      return apt instanceof Apt ? await apt.fetch(config, earlier, partial, signal) : apt;
    } catch (error) {
      if (signal?.aborted === true) throw error;
      if (error instanceof ProgramMissing) return failed(error.message);
      throw error;
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }

  /** One for all packages; opened anew while it fails. */
  private async openApt(): Promise<Apt | Outcome> {
    const { cache, signal } = this.options;
    const debian = this.configs.filter((config): config is DebianConfig => config.kind === "debian");
    this.apt ??= Apt.open(cache, debian, signal).catch((error: unknown) => {
      if (signal?.aborted === true || error instanceof ProgramMissing) throw error;
      return failed(messageOf(error));
    });
    const opened = await this.apt;
    if (!(opened instanceof Apt)) this.apt = undefined;
    return opened;
  }
}
