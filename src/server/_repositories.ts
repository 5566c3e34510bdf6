import { realpathSync } from "node:fs";
import { basename, join, resolve, sep } from "node:path";
import { messageOf, UserError, type ProgressEvent } from "../base/index.js";
import {
  fileTypeNames,
  type Answer,
  type EncoderFolders,
  type IndexStatus,
  type OpenIndexOptions,
  type SearchOptions,
} from "../search/index.js";
import { IndexThread, type ThreadIndex } from "./_index-thread.js";

/** Folders are looked at for changes when they are asked about, but not more often than this. */
const FRESH_MILLISECONDS = 5000;

export interface RepositoryOptions {
  /** Folders of the encoders: they are opened in other threads. */
  readonly encoder: EncoderFolders;
  readonly onOtherModel?: NonNullable<OpenIndexOptions["onOtherModel"]>;
  readonly threads?: number;
}

/** Where a repository's index stands. */
export interface RepositoryState {
  readonly state: "indexing" | "refining" | "ready" | "failed";
  readonly progress: { readonly done: number; readonly total: number | null; readonly unit: string } | null;
  readonly error: string | null;
}

/** The threads of all repositories: one answers, the other takes up what changed, so that neither waits for the other. */
export interface IndexThreads {
  readonly reading: IndexThread;
  readonly writing: IndexThread;
}

/** One indexed folder, kept up to date behind the answers. */
export class Repository {
  private updating: Promise<void> | undefined;
  private queued: Promise<void> | undefined;
  private refining: Promise<void> | undefined;
  /** A look for changes behind an answer, which is not worth telling. */
  private quiet = false;
  private error: string | undefined;
  /** What the writing side has to say. */
  private remarks: readonly string[] = [];
  /** An index that nobody else can read: it is asked where it is written. */
  private inMemory = false;
  private checkedAt: number | undefined;
  private readonly stop = new AbortController();

  private constructor(
    readonly name: string,
    readonly root: string,
    private readonly reader: ThreadIndex,
    private readonly writer: ThreadIndex,
    /** What the index reported last. */
    private readonly latest: { event?: ProgressEvent },
  ) {}

  /** @throws UserError as `openIndex` */
  static async open(
    name: string,
    root: string,
    { reading, writing }: IndexThreads,
    { encoder, onOtherModel, threads }: RepositoryOptions,
  ): Promise<Repository> {
    const latest: { event?: ProgressEvent } = {};
    const options: OpenIndexOptions = {
      encoder,
      refresh: "none",
      ...(onOtherModel === undefined ? {} : { onOtherModel }),
      ...(threads === undefined ? {} : { threads }),
    };
    const writer = await writing.open(root, options, (event) => {
      latest.event = event;
    });
    const reader = await reading.open(root, options, () => undefined);
    await reader.warm();
    return new Repository(name, root, reader, writer, latest);
  }

  get state(): RepositoryState {
    const { event } = this.latest;
    const indexing = this.queued !== undefined || (this.updating !== undefined && !this.quiet);
    const state = indexing
      ? "indexing"
      : this.refining !== undefined
        ? "refining"
        : this.error !== undefined
          ? "failed"
          : "ready";
    const progress =
      event === undefined || (state !== "indexing" && state !== "refining")
        ? null
        : { done: event.done, total: event.total ?? null, unit: event.unit };
    return { state, progress, error: this.error ?? null };
  }

  /**
   * Takes up what changed until now; resolves when the folder is indexed, or could not be. A run that goes on may have
   * passed what changed meanwhile, so another follows it: one for all who ask.
   */
  reindex(quiet = false): Promise<void> {
    if (this.updating !== undefined) {
      this.queued ??= this.updating.then(() => {
        this.queued = undefined;
        return this.stop.signal.aborted ? undefined : this.reindex(quiet);
      });
      return this.queued;
    }
    this.quiet = quiet;
    this.updating = this.update().finally(() => {
      this.updating = undefined;
    });
    return this.updating;
  }

  /** Waits until what changed is taken up, but only so long; the first time may take `firstMilliseconds`. */
  async fresh(milliseconds: number, firstMilliseconds: number): Promise<void> {
    const first = this.checkedAt === undefined;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, first ? firstMilliseconds : milliseconds);
    });
    await Promise.race([this.reindex(!first), late]);
    clearTimeout(timer);
  }

  async search(query: string, options: SearchOptions): Promise<Answer> {
    this.freshen();
    return this.noted(await this.asked.search(query, options));
  }

  /** @throws UserError `search.no-such-place` */
  async related(path: string, line: number, options: SearchOptions): Promise<Answer> {
    this.freshen();
    return this.noted(await this.asked.related(resolve(this.root, path), line, options));
  }

  async status(): Promise<IndexStatus> {
    const status = await this.asked.status();
    return { ...status, notes: [...new Set([...status.notes, ...this.remarks])] };
  }

  private get asked(): ThreadIndex {
    return this.inMemory ? this.writer : this.reader;
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.updating;
    await this.queued;
    await this.refining;
    await Promise.all([this.reader.close(), this.writer.close()]);
  }

  /** Looks for changes behind the answer, unless somebody did a moment ago. */
  private freshen(): void {
    if (this.updating !== undefined || this.checkedAt === undefined) return;
    if (performance.now() - this.checkedAt > FRESH_MILLISECONDS) void this.reindex(true);
  }

  private noted(answer: Answer): Answer {
    const notes = [...new Set([...answer.notes, ...this.remarks])];
    if (this.checkedAt === undefined) notes.push(`${this.name} is being indexed: answers are not complete`);
    if (this.error !== undefined) notes.push(`${this.name}: ${this.error}`);
    return { ...answer, hits: answer.hits.map((hit) => this.inside(hit)), notes };
  }

  /** A file that has become a link since it was indexed may lead out of the folder: its lines are not told. */
  private inside(hit: Answer["hits"][number]): Answer["hits"][number] {
    if (hit.text === undefined) return hit;
    try {
      if (realpathSync(join(this.root, hit.path)).startsWith(join(realpathSync(this.root), sep))) return hit;
    } catch {
      // Gone since.
    }
    const { text, ...rest } = hit;
    void text;
    return { ...rest, stale: true };
  }

  private async update(): Promise<void> {
    const { signal } = this.stop;
    try {
      delete this.latest.event;
      const { notes, store } = await this.writer.refresh(signal);
      this.remarks = notes;
      this.inMemory = store === "memory";
      this.error = undefined;
    } catch (error) {
      this.fail(error);
    }
    this.checkedAt = performance.now();
    if (this.error !== undefined || signal.aborted || !this.writer.hasFull) return;
    this.refining ??= this.refine().finally(() => {
      this.refining = undefined;
    });
  }

  /** The full tier, until every chunk has its vector; chunks that come meanwhile as well. */
  private async refine(): Promise<void> {
    const { signal } = this.stop;
    try {
      let before = Infinity;
      for (;;) {
        const { tiers, chunks } = await this.writer.status();
        const missing = chunks - tiers.full.chunks;
        if (missing <= 0 || missing >= before) return; // What is left has changed since; the next look takes it up.
        before = missing;
        await this.writer.refine(signal);
      }
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    if (this.stop.signal.aborted) return;
    this.error = error instanceof UserError ? error.toLine() : messageOf(error);
  }
}

/** The folders that may be asked about; nothing outside them is. */
export class Repositories {
  private constructor(
    readonly all: readonly Repository[],
    private readonly threads: IndexThreads,
  ) {}

  /**
   * Opens an index for each folder and begins to bring it up to date.
   *
   * @throws UserError as `openIndex`
   */
  static async open(folders: readonly string[], options: RepositoryOptions): Promise<Repositories> {
    const opened: Repository[] = [];
    const threads = { reading: new IndexThread(), writing: new IndexThread() };
    try {
      const names = new Set<string>();
      for (const root of new Set(folders.map((folder) => resolve(folder)))) {
        const base = basename(root) || "root";
        let name = base;
        for (let i = 2; names.has(name); i++) name = `${base}-${i}`;
        names.add(name);
        opened.push(await Repository.open(name, root, threads, options));
      }
    } catch (error) {
      for (const one of opened) await one.close();
      await closeThreads(threads);
      throw error;
    }
    for (const one of opened) void one.reindex();
    return new Repositories(opened, threads);
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
    await closeThreads(this.threads);
  }
}

async function closeThreads({ reading, writing }: IndexThreads): Promise<void> {
  await Promise.all([reading.close(), writing.close()]);
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
