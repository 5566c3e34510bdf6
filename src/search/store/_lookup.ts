import { CHUNK_KINDS } from "../chunks/types.js";
import { SCOPE_MARK, type State } from "./_state.js";
import {
  BM25,
  idf,
  TIERS,
  type Candidate,
  type ChunkFilter,
  type ChunkRow,
  type StoreQuery,
  type Tier,
} from "./store.js";

/** Looks things up in one state; what is computed once for it is kept here. */
export class Lookup {
  /** 1 for chunks of files as they are now. */
  readonly live: Uint8Array;
  readonly liveCount: number;
  private readonly meanLength: number;
  private readonly scores: Float32Array;
  private names: Map<string, number[]> | undefined;
  /** Rows that were asked for: the same few answer most queries. */
  private readonly rows: (ChunkRow | undefined)[];

  constructor(readonly state: State) {
    const size = state.fileOf.length;
    this.live = new Uint8Array(size);
    for (const { first, count, live } of state.files) if (live) this.live.fill(1, first, first + count);
    let [chunks, length] = [0, 0];
    for (let id = 0; id < size; id++) {
      if (this.live[id] === 0) continue;
      chunks += 1;
      length += state.length[id]!;
    }
    this.liveCount = chunks;
    this.meanLength = Math.max(1, length / Math.max(1, chunks));
    this.scores = new Float32Array(size);
    this.rows = new Array<ChunkRow | undefined>(size);
  }

  row(id: number): ChunkRow {
    return (this.rows[id] ??= this.rowOf(id));
  }

  private rowOf(id: number): ChunkRow {
    const { state } = this;
    const { file } = state.files[state.fileOf[id]!]!;
    return {
      id,
      path: file.path,
      language: file.language,
      generated: file.generated,
      kind: CHUNK_KINDS[state.kind[id]!]!,
      startLine: state.startLine[id]!,
      endLine: state.endLine[id]!,
      name: state.names[id]!,
      scope: state.scopes[id] === "" ? [] : state.scopes[id]!.split(SCOPE_MARK),
    };
  }

  candidates({ words, vectors, names, limit, filter }: StoreQuery): Candidate[] {
    const allowed = filter === undefined ? this.live : this.allowedBy(filter);
    const lexical = this.lexical(words);
    const found = new Set<number>(words.size === 0 ? [] : best(lexical, allowed, limit, 0));
    const cosines: Partial<Record<Tier, Float32Array>> = {};
    for (const tier of TIERS) {
      const table = this.state.vectors[tier];
      const vector = vectors[tier];
      if (table === undefined || vector === undefined) continue;
      cosines[tier] = table.cosines(vector);
      for (const id of best(cosines[tier], allowed, limit, -Infinity)) if (table.has(id)) found.add(id);
    }
    for (const id of this.named(names)) if (allowed[id] === 1) found.add(id);
    return [...found].map((id) => {
      const own: Partial<Record<Tier, number>> = {};
      for (const tier of TIERS) if (cosines[tier] !== undefined) own[tier] = cosines[tier][id]!;
      return { row: this.row(id), lexical: lexical[id]!, cosines: own };
    });
  }

  /** BM25 of every chunk; valid until the next call. Only chunks that are there now count for rarity and mean length. */
  private lexical(query: ReadonlyMap<string, number>): Float32Array {
    const { scores, state, live } = this;
    scores.fill(0);
    const { k1, b } = BM25;
    for (const [word, weight] of query) {
      const at = indexOf(state.words, word);
      if (at < 0) continue;
      const [from, to] = [state.offsets[at]!, state.offsets[at + 1]!];
      let holding = 0;
      for (let p = from; p < to; p++) holding += live[state.chunks[p]!]!;
      const factor = weight * idf(this.liveCount, holding);
      for (let p = from; p < to; p++) {
        const id = state.chunks[p]!;
        const tf = state.counts[p]!;
        scores[id]! += (factor * tf) / (tf + k1 * (1 - b + (b * state.length[id]!) / this.meanLength));
      }
    }
    return scores;
  }

  private named(names: readonly string[]): number[] {
    if (names.length === 0) return [];
    if (this.names === undefined) {
      this.names = new Map();
      for (let id = 0; id < this.state.names.length; id++) {
        if (this.live[id] === 0) continue;
        const name = this.state.names[id]!.toLowerCase();
        const list = this.names.get(name);
        if (list === undefined) this.names.set(name, [id]);
        else if (list.length < 64) list.push(id);
      }
    }
    return names.flatMap((name) => this.names!.get(name) ?? []);
  }

  private allowedBy({ languages, kinds, path }: ChunkFilter): Uint8Array {
    const allowed = new Uint8Array(this.live.length);
    const wanted = kinds === undefined ? undefined : new Set(kinds.map((kind) => CHUNK_KINDS.indexOf(kind)));
    for (const { file, first, count, live } of this.state.files) {
      if (!live || (languages !== undefined && !languages.includes(file.language))) continue;
      if (count === 0 || path?.(file.path) === false) continue;
      for (let id = first; id < first + count; id++) {
        if (wanted === undefined || wanted.has(this.state.kind[id]!)) allowed[id] = 1;
      }
    }
    return allowed;
  }
}

/** Place in a sorted list, or -1. */
function indexOf(sorted: readonly string[], word: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < word) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === word ? low : -1;
}

/** Ids of the `limit` greatest scores above `floor` among the allowed. */
export function best(scores: Float32Array, allowed: Uint8Array, limit: number, floor: number): Int32Array {
  const heap = new Int32Array(limit); // The least on top.
  let size = 0;
  let least = floor;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    if (!(score > least) || allowed[id] === 0) continue;
    let at: number;
    if (size < limit) {
      for (at = size++; at > 0;) {
        const up = (at - 1) >> 1;
        const other = heap[up]!;
        if (!(score < scores[other]! || (score === scores[other]! && id > other))) break;
        heap[at] = other;
        at = up;
      }
    } else {
      for (at = 0; ;) {
        let child = 2 * at + 1;
        if (child >= size) break;
        let other = heap[child]!;
        if (child + 1 < size) {
          const second = heap[child + 1]!;
          if (scores[second]! < scores[other]! || (scores[second] === scores[other] && second > other)) {
            child += 1;
            other = second;
          }
        }
        if (!(scores[other]! < score || (scores[other]! === score && other > id))) break;
        heap[at] = other;
        at = child;
      }
    }
    heap[at] = id;
    if (size === limit) least = scores[heap[0]!]!;
  }
  return heap.subarray(0, size);
}
