import { existsSync, statSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import ignore from "ignore";
import { ProgressMeter, UserError, type ProgressListener } from "../base/index.js";
import { tierModel, type Encoders, type TierModel } from "./_models.js";
import { readText } from "./_read-text.js";
import { embeddedText, hashOf } from "./_prepare.js";
import { update, type UpdateReport } from "./_update.js";
import { chunkFile } from "./chunks/chunk-file.js";
import type { UserGrammars } from "./chunks/grammars.js";
import { CHUNKER_VERSION, CHUNK_KINDS, type ChunkKind } from "./chunks/types.js";
import { findDuplicates, type CloneGroup, type DuplicateOptions } from "./duplicates.js";
import { ChunkReader } from "./rank/features.js";
import { rank, type Explanation } from "./rank/rank.js";
import { EmbeddedStore } from "./store/embedded.js";
import {
  TIERS,
  type ChunkFilter,
  type ChunkRow,
  type FileRecord,
  type IndexMeta,
  type Store,
  type Tier,
} from "./store/store.js";
import { readQuery } from "./text/query.js";
import { WordScanner } from "./text/words.js";
import type { Weights } from "./_weights.js";

export interface OpenIndexOptions {
  /** Encoders by tier: model folders, or opened encoders. None: search by words alone. */
  readonly encoder?: Encoders;
  /** Where the index lives; `DIR/.lodestone` by default. */
  readonly indexFolder?: string;
  /** Another store than the folder's own, such as PostgreSQL. It is closed with the index. */
  readonly store?: Store;
  /** `rebuild`: forget vectors of another model; `keep-both`: a second index beside it. Default: refuse. */
  readonly onOtherModel?: "refuse" | "rebuild" | "keep-both";
  /** Files larger than this are passed over. Default 2 MiB. */
  readonly maxBytes?: number;
  /** Grammars of languages that are not built in, by file ending. */
  readonly grammars?: UserGrammars;
  /** Threads of the full tier's engine. */
  readonly threads?: number;
  /** Threads that read changed files, the calling one among them; by default as many as pay for how much there is. */
  readonly indexThreads?: number;
  /**
   * `wait` brings the index up to date before it is returned, waiting for another process that writes it; `try` uses what
   * is there where another process writes; `none` looks at no file. Default `wait`.
   */
  readonly refresh?: "wait" | "try" | "none";
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
}

export interface SearchOptions {
  /** Hits at most; 10 by default. */
  readonly limit?: number;
  /** Only these languages, as `status` names them. */
  readonly languages?: readonly string[];
  /** Only paths that match one of these gitignore-like patterns, or lie under such a folder. */
  readonly paths?: readonly string[];
  readonly kinds?: readonly ChunkKind[];
  /** Read each hit's lines. Default false: places only. */
  readonly text?: boolean;
  /** Tell how each score came about. */
  readonly explain?: boolean;
  /** Leave out one of the ways: for comparisons. */
  readonly without?: readonly ("words" | Tier)[];
  /** Another ranking than the shipped one: for comparisons. */
  readonly weights?: Weights;
  readonly signal?: AbortSignal;
}

/** Something found. */
export interface Hit {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  /** 1-based, inclusive. */
  readonly startLine: number;
  readonly endLine: number;
  /** Comparable inside one answer only. */
  readonly score: number;
  readonly name: string;
  readonly scope: readonly string[];
  readonly kind: ChunkKind;
  readonly language: string;
  /** The file's lines as they are now; with `text`. */
  readonly text?: string;
  /** With `text`: the file is not as it was when it was indexed, so the lines may have moved. */
  readonly stale?: boolean;
  readonly explanation?: Explanation;
}

/** An answer, best first. */
export interface Answer {
  readonly hits: readonly Hit[];
  /** What the ranking could use: the full encoder, the static one, or words alone. */
  readonly tier: Tier | "lexical";
  /** What the reader should know: a model that is gone, an index that another process is writing. */
  readonly notes: readonly string[];
  readonly milliseconds: number;
}

/** What an index holds, and whether it is true of the folder now. */
export interface IndexStatus {
  readonly root: string;
  /** Where the index lives; undefined in memory. */
  readonly indexFolder: string | undefined;
  readonly store: Store["kind"];
  readonly files: number;
  readonly chunks: number;
  /** Files passed over, by reason, and which. */
  readonly skipped: Readonly<Record<string, readonly string[]>>;
  readonly languages: Readonly<Record<string, number>>;
  /** Chunks with vectors, by tier, and the model they came from. */
  readonly tiers: Readonly<Record<Tier, { readonly chunks: number; readonly model: string | undefined }>>;
  /** What answers come from. */
  readonly answersFrom: Tier | "lexical";
  readonly bytes: number | undefined;
  readonly generation: number;
  /** Files that were added, changed or removed since; undefined where nobody looked. */
  readonly outdated: number | undefined;
  readonly notes: readonly string[];
}

/** A step of {@link SearchIndex.refine}. */
export interface RefineProgress {
  readonly done: number;
  readonly total: number;
}

const DEFAULT_MAX_BYTES = 2 ** 21;
const CANDIDATES = 150;
const REFINE_BATCH = 64;
/** Seconds between writes while the full tier is computed. */
const REFINE_SAVE_SECONDS = 20;

/**
 * Opens the index of a folder, makes it where there is none, and brings it up to date.
 *
 * @example
 * const index = await openIndex("src", { encoder: { static: "models/static" } });
 * for (const hit of (await index.search("parse a date")).hits) print(`${hit.path}:${hit.startLine} ${hit.name}`);
 * await index.close();
 *
 * @throws UserError `search.folder`, `search.other-model`, `search.grammar`, `model.*`, `output.full`; the signal's reason
 */
export async function openIndex(folder: string, options: OpenIndexOptions = {}): Promise<SearchIndex> {
  const folderInfo = statSync(folder, { throwIfNoEntry: false });
  if (folderInfo?.isDirectory() !== true) {
    throw new UserError(
      "search.folder",
      `${folder}: expected a folder to search, got ${folderInfo === undefined ? "none" : "a file"}`,
      { fix: "Correct the path" },
    );
  }
  const models: Partial<Record<Tier, TierModel>> = {};
  for (const tier of TIERS) {
    const given = options.encoder?.[tier];
    if (given !== undefined) models[tier] = await tierModel(given, options.threads);
  }
  const root = resolve(folder);
  const store = options.store ?? (await openStore(root, models, options));
  const index = new SearchIndex(root, store, models, options);
  try {
    await index.adoptModels();
    if (options.refresh !== "none") await index.refresh(options.refresh ?? "wait", options.signal);
    return index;
  } catch (error) {
    await index.close();
    throw error;
  }
}

async function openStore(root: string, models: Partial<Record<Tier, TierModel>>, options: OpenIndexOptions) {
  const base = resolve(options.indexFolder ?? join(root, ".lodestone"));
  const key = models.static?.info.hash ?? models.full?.info.hash;
  const own = key === undefined ? undefined : join(base, `model-${key.slice(0, 8)}`);
  if (own !== undefined && existsSync(own)) return EmbeddedStore.open(own);
  const store = await EmbeddedStore.open(base);
  const known = await store.meta();
  const differs = TIERS.some((tier) => {
    const [held, given] = [known?.models[tier], models[tier]];
    return held !== undefined && given !== undefined && held.hash !== given.info.hash;
  });
  return differs && options.onOtherModel === "keep-both" && own !== undefined ? EmbeddedStore.open(own) : store;
}

/** A folder's index, ready for queries. Made by {@link openIndex}. */
export class SearchIndex {
  private readonly scanner = new WordScanner();
  private readonly reader = new ChunkReader(this.scanner);
  private readonly notes = new Map<string, string>();
  /** What the latest refresh did. */
  lastUpdate: UpdateReport | undefined;

  /** @internal */
  constructor(
    readonly root: string,
    private readonly store: Store,
    private readonly models: Partial<Record<Tier, TierModel>>,
    private readonly options: OpenIndexOptions,
  ) {}

  /** Whether there is a full encoder to refine with. */
  get hasFull(): boolean {
    return this.models.full !== undefined;
  }

  /** Opens the encoders now, so that the first query need not, and later deletions of their files do not matter. */
  async warm(): Promise<void> {
    // One that cannot be opened is told of by the queries that would need it.
    for (const tier of TIERS) await this.models[tier]?.open().catch(() => undefined);
  }

  /** Compares the given models with those of the index, and opens those of the index where none are given. @internal */
  async adoptModels(): Promise<void> {
    const known = await this.store.meta();
    if (this.store instanceof EmbeddedStore && this.store.damage !== undefined) {
      this.notes.set("damage", `the index was damaged (${this.store.damage}) and is made anew`);
    }
    if (known === undefined) return;
    for (const tier of TIERS) {
      const held = known.models[tier];
      const given = this.models[tier];
      if (held === undefined) continue;
      if (given === undefined) {
        const model =
          held.folder === "" ? undefined : await tierModel(held.folder, this.options.threads).catch(() => undefined);
        if (model?.info.hash === held.hash) this.models[tier] = model;
        else
          this.notes.set(
            tier,
            `the ${tier} encoder of this index (${held.folder || "given by a program"}) is not there`,
          );
      } else if (given.info.hash !== held.hash && this.options.onOtherModel !== "rebuild") {
        throw new UserError(
          "search.other-model",
          `${this.root}: the index was made with another ${tier} encoder (${held.folder || held.hash}) than ${given.info.folder || given.info.hash}`,
          { fix: "Make it anew with --rebuild, or keep an index for each with --keep-both" },
        );
      }
    }
  }

  /**
   * Brings the index up to date with the folder.
   *
   * @throws UserError `search.folder`, `search.grammar`, `output.full`; the signal's reason
   */
  async refresh(mode: "wait" | "try" = "wait", signal?: AbortSignal): Promise<UpdateReport | undefined> {
    const work = async (): Promise<UpdateReport> => {
      await this.dropOutdated();
      const model = this.models.static;
      return update({
        root: this.root,
        store: this.store,
        meta: await this.meta(),
        scanner: this.scanner,
        encoder: model === undefined ? undefined : () => model.open(),
        model: model?.info,
        threads: this.options.indexThreads,
        maxBytes: this.options.maxBytes ?? DEFAULT_MAX_BYTES,
        grammars: this.options.grammars ?? {},
        signal,
        onProgress: this.options.onProgress,
      });
    };
    try {
      this.lastUpdate = await this.exclusive(work, mode === "wait", signal);
      this.notes.delete("busy");
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== "output.locked") throw error;
      this.notes.set("busy", "another process is indexing this folder; answers come from what was there before");
      return undefined;
    }
    if (this.store instanceof EmbeddedStore && this.store.refusal !== undefined) {
      this.notes.set("memory", `the index lives in memory only: ${this.store.refusal.message}`);
    }
    return this.lastUpdate;
  }

  /**
   * The chunks that answer a query best: a name, a question, or code. The empty query finds nothing.
   *
   * @throws the signal's reason
   */
  async search(query: string, options: SearchOptions = {}): Promise<Answer> {
    const started = performance.now();
    await this.takeUpChanges();
    const read = readQuery(query, this.scanner);
    if (read.text === "") return this.answer([], "lexical", started);
    const left = new Set(options.without ?? []);
    const vectors = await this.vectorsOf(read.text, left);
    options.signal?.throwIfAborted();
    const candidates = await this.store.candidates({
      words: left.has("words") ? new Map() : read.words,
      vectors,
      names: left.has("words") ? [] : read.names,
      limit: Math.max(CANDIDATES, 3 * (options.limit ?? 10)),
      ...filterOf(options),
    });
    const ranked = rank(read, candidates, {
      limit: options.limit ?? 10,
      reader: this.reader,
      ...(options.weights === undefined ? {} : { weights: options.weights }),
    });
    const hits = ranked.map(({ candidate: { row }, score, explain }) => ({
      ...placeOf(row, score),
      ...(options.explain === true ? { explanation: explain() } : {}),
    }));
    const tier = vectors.full !== undefined ? "full" : vectors.static !== undefined ? "static" : "lexical";
    return this.answer(options.text === true ? await this.withTexts(hits) : hits, tier, started);
  }

  /**
   * The chunks most like some code, wherever it comes from.
   *
   * @throws the signal's reason
   */
  async similar(code: string, options: SearchOptions = {}): Promise<Answer> {
    return this.alike(code, options, () => false);
  }

  /**
   * The chunks most like the one at a line of a file, itself left out.
   *
   * @throws UserError `search.no-such-place`
   */
  async related(path: string, line: number, options: SearchOptions = {}): Promise<Answer> {
    const inside = this.relativePath(path);
    const rows = await this.store.chunksOf(inside);
    const spans = rows.filter((row) => row.startLine <= line && line <= row.endLine);
    const own = spans.sort((a, b) => a.endLine - a.startLine - (b.endLine - b.startLine))[0];
    if (own === undefined) {
      const why = rows.length === 0 ? "no such file in the index" : "no code at that line";
      throw new UserError("search.no-such-place", `${path}:${line}: expected an indexed line, got ${why}`, {
        fix: "Name it as the search prints it: FILE:LINE, relative to the indexed folder",
      });
    }
    const lines = this.linesOf(own.path)?.lines.slice(own.startLine - 1, own.endLine) ?? [];
    const text = embeddedText(own.path, { scope: own.scope, name: own.name, text: lines.join("\n") });
    return this.alike(text, options, (row) => row.path === own.path && row.startLine === own.startLine);
  }

  private async alike(text: string, options: SearchOptions, isSelf: (row: ChunkRow) => boolean): Promise<Answer> {
    const started = performance.now();
    await this.takeUpChanges();
    const limit = options.limit ?? 10;
    const vectors = await this.vectorsOf(text, new Set(options.without ?? []));
    const { words, counts } = this.scanner.count([[text, 1]]);
    const weights = new Map(words.map((word, i) => [word, Math.sqrt(counts[i]!)]));
    const candidates = await this.store.candidates({
      words: weights,
      vectors,
      names: [],
      limit: limit + 20,
      ...filterOf(options),
    });
    const tier = vectors.full !== undefined ? "full" : vectors.static !== undefined ? "static" : undefined;
    const top = Math.max(1e-9, ...candidates.map(({ lexical }) => lexical));
    // Both between 0 and 1: half by words, half by meaning.
    const scored = candidates
      .filter(({ row }) => !isSelf(row))
      .map(({ row, lexical, cosines }) => ({
        row,
        score: tier === undefined ? lexical / top : 0.5 * (lexical / top) + 0.5 * (cosines[tier] ?? 0),
      }));
    scored.sort((a, b) => b.score - a.score || (a.row.path < b.row.path ? -1 : 1) || a.row.startLine - b.row.startLine);
    const hits = scored.slice(0, limit).map(({ row, score }) => placeOf(row, score));
    return this.answer(options.text === true ? await this.withTexts(hits) : hits, tier ?? "lexical", started);
  }

  /** Groups of chunks that are copies of each other, exact ones first; see {@link findDuplicates}. */
  duplicates(options: DuplicateOptions = {}): AsyncGenerator<CloneGroup, void, undefined> {
    return findDuplicates(this.store, this.scanner, (path) => this.linesOf(path)?.lines, options);
  }

  /**
   * Computes the full tier's vectors, chunk by chunk, and stores them now and then, so that it may be stopped and taken up
   * again. Answers come from the static tier until all are there.
   *
   * @throws UserError `search.no-full-encoder`, `model.*`, `output.full`; the signal's reason
   */
  async *refine(options: { signal?: AbortSignal } = {}): AsyncGenerator<RefineProgress, void, undefined> {
    const model = this.models.full;
    if (model === undefined) {
      throw new UserError("search.no-full-encoder", `${this.root}: expected a full encoder, got none`, {
        fix: "Give its folder with --full DIR",
      });
    }
    const encoder = await model.open();
    const missing = await this.store.missing("full", Infinity);
    const meter = new ProgressMeter("refine", "chunks", missing.length, this.options.onProgress);
    const byPath = new Map<string, Set<string>>();
    for (const { path, hash } of missing) byPath.set(path, (byPath.get(path) ?? new Set()).add(hash));
    let waiting = new Map<string, string>();
    let ready = new Map<string, Float32Array>();
    let done = 0;
    let saved = performance.now();
    const embed = async (): Promise<void> => {
      const vectors = await encoder.embedAll(waiting.values(), options);
      [...waiting.keys()].forEach((hash, i) => ready.set(hash, vectors.slice(i * encoder.dim, (i + 1) * encoder.dim)));
      done += waiting.size;
      waiting = new Map();
      meter.update(Math.min(done, missing.length));
    };
    const save = async (): Promise<void> => {
      const vectors = ready;
      ready = new Map();
      saved = performance.now();
      const work = (): Promise<void> => this.store.setVectors("full", model.info, vectors);
      if (options.signal?.aborted !== true) return this.exclusive(work, true, options.signal);
      // Stopped: what was computed stays, unless another process is writing, for which nobody would wait now.
      await this.exclusive(work, false).catch((error: unknown) => {
        if (!(error instanceof UserError && error.code === "output.locked")) throw error;
      });
    };
    try {
      for (const [path, hashes] of byPath) {
        const read = readText(join(this.root, path), this.options.maxBytes ?? DEFAULT_MAX_BYTES);
        if ("skipped" in read) continue; // Changed since: the next refresh sees it.
        for (const chunk of await chunkFile(path, read.text, this.options.grammars ?? {})) {
          const text = embeddedText(path, chunk);
          const hash = hashOf(text);
          if (hashes.has(hash) && !ready.has(hash)) waiting.set(hash, text);
        }
        if (waiting.size < REFINE_BATCH) continue;
        await embed();
        yield { done: Math.min(done, missing.length), total: missing.length };
        if (performance.now() - saved > 1000 * REFINE_SAVE_SECONDS) await save();
      }
      if (waiting.size > 0) await embed();
    } finally {
      if (ready.size > 0) await save(); // Also when stopped: what was computed stays.
    }
    meter.update(missing.length, undefined, missing.length);
    yield { done: missing.length, total: missing.length };
  }

  /**
   * What the index holds. With `compare`, every file's size and time are looked at too.
   *
   * @throws UserError `search.folder`
   */
  async status(options: { compare?: boolean; signal?: AbortSignal } = {}): Promise<IndexStatus> {
    await this.takeUpChanges();
    const counts = await this.store.counts();
    const files = await this.store.files();
    const meta = await this.store.meta();
    const skipped: Record<string, string[]> = {};
    const languages: Record<string, number> = {};
    for (const { path, skipped: reason, language } of files.values()) {
      if (reason === undefined) languages[language] = (languages[language] ?? 0) + 1;
      else (skipped[reason] ??= []).push(path);
    }
    const tierStatus = (tier: Tier) => ({ chunks: counts.vectors[tier], model: meta?.models[tier]?.folder });
    return {
      root: this.root,
      indexFolder:
        this.store instanceof EmbeddedStore && this.store.kind === "embedded" ? this.store.folder : undefined,
      store: this.store.kind,
      files: counts.files - counts.skipped,
      chunks: counts.chunks,
      skipped,
      languages,
      tiers: { static: tierStatus("static"), full: tierStatus("full") },
      answersFrom: await this.bestTier(),
      bytes: counts.bytes,
      generation: counts.generation,
      outdated: options.compare === true ? await this.outdated(files, options.signal) : undefined,
      notes: [...this.notes.values()],
    };
  }

  /** Ends encoders that were opened by path, and the store. */
  async close(): Promise<void> {
    for (const tier of TIERS) await this.models[tier]?.close();
    await this.store.close();
  }

  private async outdated(files: ReadonlyMap<string, FileRecord>, signal?: AbortSignal): Promise<number> {
    const { listFiles } = await import("./_walk.js");
    const found = await listFiles(this.root, signal);
    let count = 0;
    for (const { path, size, mtimeMs } of found) {
      const record = files.get(path);
      if (record === undefined || record.size !== size || record.mtimeMs !== mtimeMs) count += 1;
    }
    const there = new Set(found.map(({ path }) => path));
    for (const path of files.keys()) if (!there.has(path)) count += 1;
    return count;
  }

  private async meta(): Promise<IndexMeta> {
    const known = (await this.store.meta())?.models ?? {};
    const given = this.models.static?.info;
    const models = { ...known, ...(given === undefined ? {} : { static: given }) };
    return { chunker: CHUNKER_VERSION, models };
  }

  /** Before an update: an index of an older chunker, or of a model that is to be replaced, is forgotten. */
  private async dropOutdated(): Promise<void> {
    const known = await this.store.meta();
    if (known === undefined) return;
    const other = TIERS.some((tier) => {
      const given = this.models[tier];
      return given !== undefined && known.models[tier] !== undefined && known.models[tier].hash !== given.info.hash;
    });
    // Without static vectors so far, every chunk needs one.
    const firstStatic = this.models.static !== undefined && known.models.static === undefined;
    if (known.chunker !== CHUNKER_VERSION || other || firstStatic) await this.store.clear();
  }

  private async exclusive<T>(work: () => Promise<T>, wait: boolean, signal?: AbortSignal): Promise<T> {
    if (!(this.store instanceof EmbeddedStore)) return work();
    return this.store.exclusive(work, { wait, ...(signal === undefined ? {} : { signal }) });
  }

  private async takeUpChanges(): Promise<void> {
    if (this.store instanceof EmbeddedStore) await this.store.reload();
  }

  /** The tier whose vectors are there for every chunk. */
  private async bestTier(): Promise<Tier | "lexical"> {
    const { chunks, vectors } = await this.countsOnce();
    if (chunks === 0) return "lexical";
    if (vectors.full === chunks && this.models.full !== undefined) return "full";
    return vectors.static > 0 && this.models.static !== undefined ? "static" : "lexical";
  }

  private counted: { generation: number; counts: Awaited<ReturnType<Store["counts"]>> } | undefined;

  private async countsOnce(): Promise<Awaited<ReturnType<Store["counts"]>>> {
    const generation = this.store instanceof EmbeddedStore ? this.store.generation : -1;
    if (this.counted === undefined || generation < 0 || this.counted.generation !== generation) {
      this.counted = { generation, counts: await this.store.counts() };
    }
    return this.counted.counts;
  }

  /** The query's vectors for the tiers that answer. An encoder that cannot be opened any more is told of, not thrown. */
  private async vectorsOf(text: string, without: ReadonlySet<string>): Promise<Partial<Record<Tier, Float32Array>>> {
    const best = await this.bestTier();
    const held = (await this.store.meta())?.models;
    const wanted = TIERS.filter(
      (tier) => !without.has(tier) && (tier === best || (tier === "static" && best === "full")),
    );
    const vectors: Partial<Record<Tier, Float32Array>> = {};
    for (const tier of wanted) {
      const model = this.models[tier];
      // Vectors of two models are never compared, also where an index is about to be made anew.
      if (model === undefined || held?.[tier]?.hash !== model.info.hash) continue;
      try {
        const encoder = await model.open();
        vectors[tier] = await encoder.embedAll([text]);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        this.notes.set(tier, `the ${tier} encoder cannot be used: ${error.message}`);
        delete this.models[tier];
      }
    }
    return vectors;
  }

  private answer(hits: readonly Hit[], tier: Answer["tier"], started: number): Answer {
    return { hits, tier, notes: [...this.notes.values()], milliseconds: performance.now() - started };
  }

  private async withTexts(hits: readonly Hit[]): Promise<Hit[]> {
    const files = await this.store.files();
    return hits.map((hit) => {
      const read = this.linesOf(hit.path);
      if (read === undefined) return { ...hit, stale: true };
      const stale = read.hash !== files.get(hit.path)?.hash;
      const text = read.lines.slice(hit.startLine - 1, hit.endLine).join("\n");
      return { ...hit, text, ...(stale ? { stale } : {}) };
    });
  }

  private linesOf(path: string): { lines: string[]; hash: string } | undefined {
    const read = readText(join(this.root, path), this.options.maxBytes ?? DEFAULT_MAX_BYTES);
    return "skipped" in read ? undefined : { lines: read.text.split(/\r?\n/), hash: read.hash };
  }

  /** A path as the index names it, from one relative to the folder or to the working directory. */
  private relativePath(path: string): string {
    const inRoot = isAbsolute(path) ? path : existsSync(join(this.root, path)) ? join(this.root, path) : resolve(path);
    return relative(this.root, inRoot).split(sep).join("/");
  }
}

function placeOf(row: ChunkRow, score: number): Hit {
  const { path, startLine, endLine, name, scope, kind, language } = row;
  return { path, startLine, endLine, score, name, scope, kind, language };
}

function filterOf({ languages, paths, kinds }: SearchOptions): { filter?: ChunkFilter } {
  if (languages === undefined && paths === undefined && kinds === undefined) return {};
  const matcher = paths === undefined ? undefined : ignore({ allowRelativePaths: true }).add([...paths]);
  return {
    filter: {
      ...(languages === undefined ? {} : { languages }),
      ...(kinds === undefined ? {} : { kinds }),
      ...(matcher === undefined ? {} : { path: (path: string) => matcher.ignores(path) }),
    },
  };
}

/**
 * A kind of chunk by name.
 *
 * @throws UserError `search.kind`
 */
export function parseKind(name: string): ChunkKind {
  const found = CHUNK_KINDS.find((kind) => kind === name);
  if (found !== undefined) return found;
  throw new UserError("search.kind", `type: expected one of ${CHUNK_KINDS.join(", ")}, got ${name}`, {
    fix: "Use one of these names",
  });
}
