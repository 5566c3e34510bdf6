import { basename, resolve } from "node:path";
import { messageOf, UserError, type ProgressEvent } from "../base/index.js";
import {
  fileTypeNames,
  openIndex,
  type Answer,
  type Encoders,
  type IndexStatus,
  type OpenIndexOptions,
  type SearchIndex,
  type SearchOptions,
} from "../search/index.js";

/** Folders are looked at for changes when they are asked about, but not more often than this. */
const FRESH_MILLISECONDS = 5000;

export interface RepositoryOptions {
  readonly encoder: Encoders;
  readonly onOtherModel?: NonNullable<OpenIndexOptions["onOtherModel"]>;
  readonly threads?: number;
}

/** Where a repository's index stands. */
export interface RepositoryState {
  readonly state: "indexing" | "refining" | "ready" | "failed";
  readonly progress: { readonly done: number; readonly total: number | null; readonly unit: string } | null;
  readonly error: string | null;
}

/** One indexed folder, kept up to date behind the answers. */
export class Repository {
  private working: Promise<void> | undefined;
  private phase: RepositoryState["state"] = "indexing";
  private error: string | undefined;
  private checkedAt = 0;
  private readonly stop = new AbortController();

  private constructor(
    readonly name: string,
    readonly root: string,
    private readonly index: SearchIndex,
    /** What the index reported last. */
    private readonly latest: { event?: ProgressEvent },
  ) {}

  /** @throws UserError as `openIndex` */
  static async open(name: string, root: string, options: RepositoryOptions): Promise<Repository> {
    const latest: { event?: ProgressEvent } = {};
    const onProgress = (event: ProgressEvent): void => {
      latest.event = event;
    };
    const index = await openIndex(root, { ...options, refresh: "none", onProgress });
    return new Repository(name, root, index, latest);
  }

  get state(): RepositoryState {
    const { phase: state } = this;
    const { event } = this.latest;
    const progress =
      event === undefined || (state !== "indexing" && state !== "refining")
        ? null
        : { done: event.done, total: event.total ?? null, unit: event.unit };
    return { state, progress, error: this.error ?? null };
  }

  /** Takes up what changed; resolves when the folder is indexed. One run at a time: a second call waits for the first. */
  reindex(): Promise<void> {
    this.working ??= this.update().finally(() => {
      this.working = undefined;
    });
    return this.working;
  }

  async search(query: string, options: SearchOptions): Promise<Answer> {
    this.freshen();
    return this.noted(await this.index.search(query, options));
  }

  /** @throws UserError `search.no-such-place` */
  async related(path: string, line: number, options: SearchOptions): Promise<Answer> {
    this.freshen();
    return this.noted(await this.index.related(resolve(this.root, path), line, options));
  }

  status(): Promise<IndexStatus> {
    return this.index.status();
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.working;
    await this.index.close();
  }

  /** Looks for changes behind the answer, unless somebody did a moment ago. */
  private freshen(): void {
    if (this.working !== undefined || performance.now() - this.checkedAt < FRESH_MILLISECONDS) return;
    void this.reindex();
  }

  private noted(answer: Answer): Answer {
    const { state, error } = this.state;
    const notes = [...answer.notes];
    if (state === "indexing" && this.checkedAt === 0)
      notes.push(`${this.name} is being indexed: answers are not complete`);
    if (error !== null) notes.push(`${this.name} could not be indexed: ${error}`);
    return { ...answer, notes };
  }

  private async update(): Promise<void> {
    const { signal } = this.stop;
    try {
      this.phase = "indexing";
      delete this.latest.event;
      await this.index.refresh("wait", signal);
      this.checkedAt = performance.now();
      this.error = undefined;
      this.phase = "ready";
      if (!this.index.hasFull) return;
      const { tiers, chunks } = await this.index.status();
      if (tiers.full.chunks >= chunks) return;
      this.phase = "refining";
      for await (const step of this.index.refine({ signal })) void step;
      this.phase = "ready";
    } catch (error) {
      this.phase = "failed";
      if (signal.aborted) return;
      this.checkedAt = performance.now();
      this.error = error instanceof UserError ? error.toLine() : messageOf(error);
    }
  }
}

/** The folders that may be asked about; nothing outside them is. */
export class Repositories {
  private constructor(readonly all: readonly Repository[]) {}

  /**
   * Opens an index for each folder and begins to bring it up to date.
   *
   * @throws UserError as `openIndex`
   */
  static async open(folders: readonly string[], options: RepositoryOptions): Promise<Repositories> {
    const opened: Repository[] = [];
    try {
      const names = new Set<string>();
      for (const root of new Set(folders.map((folder) => resolve(folder)))) {
        const base = basename(root) || "root";
        let name = base;
        for (let i = 2; names.has(name); i++) name = `${base}-${i}`;
        names.add(name);
        opened.push(await Repository.open(name, root, options));
      }
    } catch (error) {
      for (const one of opened) await one.close();
      throw error;
    }
    for (const one of opened) void one.reindex();
    return new Repositories(opened);
  }

  /**
   * Those that a name asks for: one, or all where none is named.
   *
   * @throws UserError `search.no-such-repository`
   */
  named(name: string | undefined): readonly Repository[] {
    const found = name === undefined ? this.all : this.all.filter((one) => one.name === name);
    if (found.length > 0) return found;
    const known = this.all.map((one) => one.name);
    throw new UserError(
      "search.no-such-repository",
      known.length === 0
        ? "search: expected an indexed repository, got none"
        : `repository: expected one of ${known.join(", ")}, got ${String(name).slice(0, 100)}`,
      { fix: known.length === 0 ? "Start the server with the folders to search" : "Use one of these names" },
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((one) => one.close()));
  }
}

/** A hit and whose it is. */
export type PlacedHit = Answer["hits"][number] & { readonly repository: string };

/** An answer over several repositories. */
export interface JointAnswer extends Omit<Answer, "hits"> {
  readonly hits: readonly PlacedHit[];
}

/**
 * Asks repositories one behind the other. Their scores do not compare, so that the hits come in turns: the best of each,
 * then the second of each.
 */
export async function askAll(
  repositories: readonly Repository[],
  limit: number,
  ask: (repository: Repository) => Promise<Answer>,
): Promise<JointAnswer> {
  const answers: (Answer & { readonly name: string })[] = [];
  for (const one of repositories) answers.push({ ...(await ask(one)), name: one.name });
  const longest = Math.max(0, ...answers.map(({ hits }) => hits.length));
  const hits: PlacedHit[] = [];
  for (let rank = 0; rank < longest; rank++) {
    for (const { name, hits: own } of answers) {
      const hit = own[rank];
      if (hit !== undefined) hits.push({ repository: name, ...hit });
    }
  }
  const tiers = answers.map(({ tier }) => tier);
  return {
    hits: hits.slice(0, limit),
    tier: tiers.includes("lexical") ? "lexical" : tiers.includes("static") ? "static" : "full",
    notes: [...new Set(answers.flatMap(({ notes }) => notes))],
    milliseconds: answers.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
  };
}

/** @throws UserError `search.language` */
export function checkLanguages(languages: readonly string[] | undefined): void {
  const unknown = languages?.find((language) => !fileTypeNames().includes(language));
  if (unknown === undefined) return;
  throw new UserError("search.language", `languages: expected known languages, got ${unknown.slice(0, 100)}`, {
    fix: `Use some of ${fileTypeNames().join(", ")}`,
  });
}
