import { readdirSync, statSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { internalError, lockFolder, UserError, writeFileAtomic } from "../../base/index.js";
import { Lookup } from "./_lookup.js";
import { Damaged, readJson, readSections, writeSections } from "./_sections.js";
import { emptyState, nextState, packState, unpackState, withVectors, type FileEntry, type State } from "./_state.js";
import { VectorTable } from "./_vectors.js";
import type {
  Candidate,
  Change,
  ChunkRow,
  FileRecord,
  IndexMeta,
  ModelInfo,
  NewChunk,
  Store,
  StoreCounts,
  StoreQuery,
  Tier,
} from "./store.js";

const POINTER = "current.json";
const FORMAT = 1;
/** Chunks of changed and removed files that are kept for their return (a branch that is switched back). */
const RETIRED_AT_LEAST = 4096;

interface Pointer {
  readonly format: number;
  readonly file: string;
}

/**
 * An index in a folder: one file a generation, and a pointer that is renamed into place when that file is whole. Without a
 * folder, or where the folder refuses to be written, the index lives in memory.
 */
export class EmbeddedStore implements Store {
  private state: State = emptyState();
  private lookup = new Lookup(this.state);
  private seen = "";
  private bytes: number | undefined;
  private persistent: boolean;
  /** Why the index on disk was of no use and is made anew. */
  damage: string | undefined;
  /** Why nothing is written. */
  refusal: UserError | undefined;

  private constructor(readonly folder: string | undefined) {
    this.persistent = folder !== undefined;
  }

  get kind(): "embedded" | "memory" {
    return this.persistent ? "embedded" : "memory";
  }

  /** Rises with every change. */
  get generation(): number {
    return this.state.generation;
  }

  /** Opens the index in a folder, or an empty one where there is none or it is damaged. */
  static async open(folder: string | undefined): Promise<EmbeddedStore> {
    const store = new EmbeddedStore(folder);
    await store.reload();
    return store;
  }

  /** Takes up what another process wrote. Cheap where nothing changed. */
  async reload(): Promise<void> {
    if (this.folder === undefined || !this.persistent) return;
    const pointerPath = join(this.folder, POINTER);
    for (let attempt = 0; attempt < 3; attempt++) {
      const mark = markOf(pointerPath);
      if (mark === this.seen) return;
      try {
        const pointer = (await readJson(pointerPath)) as Pointer | undefined;
        if (pointer === undefined) {
          this.take(emptyState(), undefined, mark);
          return;
        }
        if (pointer.format !== FORMAT) throw new Damaged(`it was written in format ${pointer.format}`);
        const { info, sections, bytes } = await readSections(join(this.folder, pointer.file));
        this.take(unpackState(info, sections), bytes, mark);
        this.damage = undefined;
        return;
      } catch (error) {
        if (!(error instanceof Damaged)) throw error;
        if (markOf(pointerPath) !== mark) continue; // A writer was faster: its file is whole.
        this.damage = error.message;
        this.take(emptyState(), undefined, mark);
        return;
      }
    }
  }

  /**
   * Runs work as the only writer. Without `wait`, a folder that another process writes to is refused at once.
   *
   * @throws UserError `output.locked`; the signal's reason
   */
  async exclusive<T>(work: () => Promise<T>, options: { wait?: boolean; signal?: AbortSignal } = {}): Promise<T> {
    if (this.folder === undefined || !this.persistent) return work();
    let release: (() => Promise<void>) | undefined;
    while (release === undefined) {
      options.signal?.throwIfAborted();
      try {
        release = await this.lock(this.folder);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        if (error.code === "output.unwritable") {
          this.refusal = error;
          this.persistent = false;
          return work();
        }
        if (error.code !== "output.locked" || options.wait === false) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    try {
      await this.reload();
      return await work();
    } finally {
      await release();
    }
  }

  private async lock(folder: string): Promise<() => Promise<void>> {
    const release = await lockFolder(folder);
    // So that git does not see the index of a repository.
    await writeFile(join(folder, ".gitignore"), "*\n", { flag: "wx" }).catch(() => undefined);
    return release;
  }

  async meta(): Promise<IndexMeta | undefined> {
    return this.state.generation === 0 ? undefined : this.state.meta;
  }

  async counts(): Promise<StoreCounts> {
    const { state, lookup } = this;
    const vectors = { static: 0, full: 0 };
    for (const tier of ["static", "full"] as const) {
      const table = state.vectors[tier];
      if (table === undefined) continue;
      for (let id = 0; id < lookup.live.length; id++) if (lookup.live[id] === 1 && table.has(id)) vectors[tier] += 1;
    }
    const live = state.files.filter((entry) => entry.live);
    return {
      files: live.length,
      skipped: live.filter(({ file }) => file.skipped !== undefined).length,
      chunks: lookup.liveCount,
      vectors,
      bytes: this.bytes,
      generation: state.generation,
    };
  }

  async files(): Promise<ReadonlyMap<string, FileRecord>> {
    return new Map(this.state.files.filter(({ live }) => live).map(({ file }) => [file.path, file]));
  }

  async holds(path: string, hash: string): Promise<boolean> {
    return this.retired().has(`${path}\0${hash}`);
  }

  private held: { state: State; entries: Map<string, number> } | undefined;

  /** Entries by path and content, live ones too. */
  private retired(): Map<string, number> {
    if (this.held?.state !== this.state) {
      const entries = new Map(this.state.files.map(({ file }, i) => [`${file.path}\0${file.hash}`, i]));
      this.held = { state: this.state, entries };
    }
    return this.held.entries;
  }

  async apply({ meta, put, remove }: Change): Promise<void> {
    const old = this.state;
    const known = this.retired();
    const gone = new Set([...remove, ...put.map(({ file }) => file.path)]);
    const entries: { entry: FileEntry; added?: readonly NewChunk[] }[] = old.files.map((entry) => ({
      entry: gone.has(entry.file.path) ? { ...entry, live: false } : entry,
    }));
    for (const { file, chunks } of put) {
      if (chunks !== "known") {
        entries.push({ entry: { file, first: 0, count: chunks.length, live: true }, added: chunks });
        continue;
      }
      const at = known.get(`${file.path}\0${file.hash}`);
      if (at === undefined) throw internalError(`${file.path}: its chunks are not held`);
      entries[at] = { entry: { ...entries[at]!.entry, file, live: true } };
    }
    const kept = withoutOldest(entries);
    const remap = new Int32Array(old.fileOf.length).fill(-1);
    const added: { chunk: NewChunk; file: number }[] = [];
    const stays = kept.filter((item) => item.added === undefined);
    let next = 0;
    const files: FileEntry[] = [];
    for (const { entry } of stays) {
      for (let i = 0; i < entry.count; i++) remap[entry.first + i] = next + i;
      files.push({ ...entry, first: next });
      next += entry.count;
    }
    for (const { entry, added: chunks } of kept) {
      if (chunks === undefined) continue;
      for (const chunk of chunks) added.push({ chunk, file: files.length });
      files.push({ ...entry, first: next });
      next += entry.count;
    }
    await this.save(nextState(old, { meta, generation: old.generation + 1, files, remap, added }));
  }

  async candidates(query: StoreQuery): Promise<Candidate[]> {
    return this.lookup.candidates(query);
  }

  async chunksOf(path: string): Promise<ChunkRow[]> {
    const entry = this.state.files.find(({ file, live }) => live && file.path === path);
    if (entry === undefined) return [];
    return Array.from({ length: entry.count }, (_, i) => this.lookup.row(entry.first + i));
  }

  async *chunks(): AsyncGenerator<ChunkRow & { readonly hash: string }> {
    const { state, lookup } = this;
    for (const { first, count } of inOrder(state)) {
      for (let id = first; id < first + count; id++) yield { ...lookup.row(id), hash: state.hashes[id]! };
    }
  }

  async missing(tier: Tier, limit: number): Promise<(ChunkRow & { readonly hash: string })[]> {
    const { state, lookup } = this;
    const table = state.vectors[tier];
    const found: (ChunkRow & { hash: string })[] = [];
    for (const { first, count } of inOrder(state)) {
      for (let id = first; id < first + count && found.length < limit; id++) {
        if (table === undefined || !table.has(id)) found.push({ ...lookup.row(id), hash: state.hashes[id]! });
      }
    }
    return found;
  }

  async setVectors(tier: Tier, model: ModelInfo, vectors: ReadonlyMap<string, Float32Array>): Promise<void> {
    const old = this.state;
    const same = old.meta.models[tier]?.hash === model.hash ? old.vectors[tier] : undefined;
    const table = new VectorTable(model.dim, old.fileOf.length);
    for (let id = 0; id < old.fileOf.length; id++) {
      const vector = vectors.get(old.hashes[id]!);
      if (vector !== undefined) table.set(id, vector);
      else if (same !== undefined) table.copy(id, same, id);
    }
    const meta = { ...old.meta, models: { ...old.meta.models, [tier]: model } };
    await this.save(withVectors(old, meta, tier, table));
  }

  async clear(): Promise<void> {
    // A generation further, so that readers notice.
    await this.save({ ...emptyState(), generation: this.state.generation + 1 });
  }

  async close(): Promise<void> {
    this.take(emptyState(), undefined, "");
  }

  /** Writes the new generation's file, then the pointer; then the old file goes. */
  private async save(state: State): Promise<void> {
    if (this.folder === undefined || !this.persistent) {
      this.take(state, undefined, this.seen);
      return;
    }
    await mkdir(this.folder, { recursive: true });
    const file = `generation-${state.generation}.bin`;
    const { info, sections } = packState(state);
    let bytes: number;
    try {
      bytes = await writeSections(join(this.folder, file), info, sections);
      await writeFileAtomic(join(this.folder, POINTER), `${JSON.stringify({ format: FORMAT, file })}\n`);
    } catch (error) {
      if (!(error instanceof UserError && error.code === "output.unwritable")) throw error;
      this.refusal = error;
      this.persistent = false;
      this.take(state, undefined, this.seen);
      return;
    }
    this.damage = undefined;
    this.take(state, bytes, markOf(join(this.folder, POINTER)));
    for (const name of readdirSync(this.folder)) {
      const ours = /^generation-\d+\.bin(?:\.\d+\.partial)?$|^current\.json\.\d+\.partial$/.test(name);
      if (ours && name !== file) await rm(join(this.folder, name), { force: true }).catch(() => undefined);
    }
  }

  private take(state: State, bytes: number | undefined, mark: string): void {
    this.state = state;
    this.lookup = new Lookup(state);
    this.bytes = bytes;
    this.seen = mark;
  }
}

/** Tells one pointer file from the next. */
function markOf(path: string): string {
  const info = statSync(path, { throwIfNoEntry: false });
  return info === undefined ? "" : `${info.ino} ${info.mtimeMs} ${info.size}`;
}

function inOrder(state: State): FileEntry[] {
  return state.files
    .filter(({ live }) => live)
    .sort((a, b) => (a.file.path < b.file.path ? -1 : a.file.path > b.file.path ? 1 : 0));
}

/** Drops the files that went longest ago where more is kept of them than of what is there. */
function withoutOldest<T extends { entry: FileEntry }>(entries: readonly T[]): T[] {
  let live = 0;
  let retired = 0;
  for (const { entry } of entries) {
    if (entry.live) live += entry.count;
    else retired += entry.count;
  }
  const allowed = Math.max(RETIRED_AT_LEAST, live);
  return entries.filter(({ entry }) => {
    if (entry.live) return true;
    if (entry.count === 0) return false;
    if (retired <= allowed) return true;
    retired -= entry.count;
    return false;
  });
}
