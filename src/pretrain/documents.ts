import type { Rng } from "../base/index.js";
import { openCorpus, type CorpusDocument, type OpenCorpus, type RowGroup } from "../corpus/index.js";
import { epochOrder, Latest } from "./order.js";
import type { TrainingDocument } from "./types.js";

/** Documents in the order of an epoch, fetched by their place in it. */
export interface DocumentOrder {
  /** Documents of an epoch. */
  readonly count: number;
  /** Number, in the stored order, of the document at a place of an epoch's order. */
  numberAt(epoch: number, index: number): number;
  /** That document. @throws UserError `corpus.shard` */
  documentAt(epoch: number, index: number): Promise<TrainingDocument>;
  close(): Promise<void>;
}

/** Documents that are all in memory: an epoch is a permutation of them. */
export class DocumentList implements DocumentOrder {
  private readonly orders: Latest<Uint32Array>;

  constructor(
    private readonly documents: readonly TrainingDocument[],
    rng: Rng,
  ) {
    this.orders = new Latest((epoch) => epochOrder(rng, epoch, documents.length));
  }

  get count(): number {
    return this.documents.length;
  }

  numberAt(epoch: number, index: number): number {
    return this.orders.get(epoch)[index]!;
  }

  documentAt(epoch: number, index: number): Promise<TrainingDocument> {
    return Promise.resolve(this.documents[this.numberAt(epoch, index)]!);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Row groups that are shuffled together, and in memory at a time: at most 16,000 files or about 130 MB of text. */
export const WINDOW_GROUPS = 16;

/**
 * A corpus's documents in a shuffled order that needs no more memory than some row groups. Every epoch the groups are
 * shuffled, cut into windows of {@link WINDOW_GROUPS}, and the documents of each window shuffled among themselves. The
 * order is a function of the manifest, the key and the epoch alone: any place can be gone to at once, by reading one
 * window.
 */
export class ShardOrder implements DocumentOrder {
  readonly count: number;
  private readonly groups: readonly RowGroup[];
  /** Number of the first document of each group. */
  private readonly firsts: readonly number[];
  private readonly epochs: Latest<EpochPlan>;
  private readonly windows = new Map<string, WindowPlan>();
  private loaded: { readonly key: string; readonly documents: Promise<CorpusDocument[][]> } | undefined;

  constructor(
    private readonly corpus: OpenCorpus,
    private readonly rng: Rng,
    private readonly windowGroups = WINDOW_GROUPS,
  ) {
    this.groups = corpus.documents.groups("train").filter(({ rows }) => rows > 0);
    this.firsts = runningSums(this.groups.map(({ rows }) => rows));
    this.count = this.groups.reduce((sum, { rows }) => sum + rows, 0);
    this.epochs = new Latest((epoch) => this.planEpoch(epoch));
  }

  numberAt(epoch: number, index: number): number {
    const { group, row } = this.locate(epoch, index);
    return this.firsts[group]! + row;
  }

  async documentAt(epoch: number, index: number): Promise<TrainingDocument> {
    const { key, window, slot, row } = this.locate(epoch, index);
    if (this.loaded?.key !== key) {
      const documents = this.read(window.groups);
      documents.catch(() => undefined); // Reported where it is awaited.
      this.loaded = { key, documents };
    }
    const { lang, text } = (await this.loaded.documents)[slot]![row]!;
    return { lang, text };
  }

  close(): Promise<void> {
    this.loaded = undefined;
    return this.corpus.close();
  }

  private async read(groups: readonly number[]): Promise<CorpusDocument[][]> {
    const documents: CorpusDocument[][] = [];
    for (const group of groups) {
      documents.push(await this.corpus.documents.readGroup(this.groups[group]!, ["lang", "text"]));
    }
    return documents;
  }

  private planEpoch(epoch: number): EpochPlan {
    const order = this.rng.split("groups", epoch).permutation(this.groups.length);
    const windows: number[][] = [];
    for (let at = 0; at < order.length; at += this.windowGroups) {
      windows.push([...order.subarray(at, at + this.windowGroups)]);
    }
    const sizes = windows.map((groups) => groups.reduce((sum, group) => sum + this.groups[group]!.rows, 0));
    return { windows, starts: runningSums(sizes) };
  }

  private locate(epoch: number, index: number) {
    const { windows, starts } = this.epochs.get(epoch);
    const at = lastAtMost(starts, index);
    const key = `${epoch} ${at}`;
    let window = this.windows.get(key);
    if (window === undefined) {
      const groups = windows[at]!;
      const inside = runningSums(groups.map((group) => this.groups[group]!.rows));
      const size = (starts[at + 1] ?? this.count) - starts[at]!;
      window = { groups, starts: inside, order: this.rng.split("window", epoch, at).permutation(size) };
      if (this.windows.size >= 3) this.windows.clear(); // Reading ahead looks into the next one.
      this.windows.set(key, window);
    }
    const place = window.order[index - starts[at]!]!;
    const slot = lastAtMost(window.starts, place);
    return { key, window, slot, group: window.groups[slot]!, row: place - window.starts[slot]! };
  }
}

interface EpochPlan {
  /** Row groups of each window. */
  readonly windows: readonly (readonly number[])[];
  /** Place of each window's first document in the epoch. */
  readonly starts: readonly number[];
}

interface WindowPlan {
  readonly groups: readonly number[];
  /** Place of each group's first document in the window, before it is shuffled. */
  readonly starts: readonly number[];
  readonly order: Uint32Array;
}

function runningSums(values: readonly number[]): number[] {
  let sum = 0;
  return values.map((value) => (sum += value) - value);
}

/** Index of the last of ascending numbers that is not above `value`. */
function lastAtMost(ascending: readonly number[], value: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ascending[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Opens a corpus's training documents. @throws UserError `corpus.missing`, `corpus.manifest` */
export async function openShards(folder: string, rng: Rng): Promise<DocumentOrder> {
  return new ShardOrder(await openCorpus(folder), rng);
}
