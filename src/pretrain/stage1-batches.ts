import { int32, internalError, tensor, UserError, type Rng, type Tensor } from "../base/index.js";
import { Tokenizer } from "../tokenizer/index.js";
import { LaneReader, readLanes, writeLanes, type Lane, type LaneSource } from "./_lanes.js";
import { DocumentList, type DocumentOrder } from "./documents.js";
import { InlineExamples, ThreadedExamples, type ExampleSource, type Place } from "./example-sources.js";
import type { OpenedExample } from "./examples.js";
import type { RandomMasking, Rate } from "./masking.js";
import { maskedCapacity, packRows, type Objective, type PackedRows } from "./packing.js";
import type { BatchSource, FindIdentifiers, PreparedBatch, PretrainTokenizer, TrainingDocument } from "./types.js";

/** R random masking, D deobfuscation, P a coin per document, S half of the steps R and then D. */
export type ObjectiveMix = "R" | "D" | "P" | "S";

/** What stage 1's batches depend on. */
export interface Stage1BatchOptions {
  /** A list is shuffled by `rng`. */
  readonly documents: readonly TrainingDocument[] | DocumentOrder;
  readonly tokenizer: PretrainTokenizer;
  readonly identifiers: FindIdentifiers;
  readonly objective: ObjectiveMix;
  readonly masking: RandomMasking;
  /** Share of a document's identifiers that D obfuscates. */
  readonly share: Rate;
  /** Rows of a batch. */
  readonly rows: number;
  /** Tokens of a row. */
  readonly length: number;
  /** Updates of the whole run; S changes over in the middle. */
  readonly steps: number;
  readonly rng: Rng;
  /** Tokens of documents kept between epochs. */
  readonly cacheTokens?: number;
  /**
   * Threads that tokenise, parse and mask ahead. Changes no batch. Default 0: all in this thread. They find names by the
   * languages' parsers, so `identifiers` must be those.
   */
  readonly threads?: number;
}

/**
 * The next document of `epoch`'s order, which rows have their turn, and the documents in hand (`_lanes.ts`). A row has
 * {@link LANES_PER_ROW} lanes that fill it in turn, each with a document of its own.
 */
export type Stage1Position = {
  readonly epoch: number;
  readonly index: number;
  readonly turn: number;
  readonly lanes: string;
};

/**
 * A batch's rows hold different documents, and the next batches again others: with rows that go on in one document, a
 * batch is three files and the next batch the same ones, and a small model never gets beyond the frequencies of tokens
 * (docs/log.md, 24 November 2026).
 */
export const LANES_PER_ROW = 64;

/**
 * Stage 1's batches. Documents are tokenised when their turn comes, or by threads somewhat earlier, so that start-up is
 * short and memory bounded. What a document looks like depends on the key, the epoch and the document only, never on
 * where it falls in a batch.
 */
export class Stage1Batches implements BatchSource<Stage1Position> {
  readonly start: Stage1Position;
  private readonly order: DocumentOrder;
  private readonly examples: ExampleSource;
  /** Documents in hand after the last batch. */
  private open = new Map<string, OpenedExample>();

  /** @throws UserError `corpus.empty` */
  constructor(private readonly options: Stage1BatchOptions) {
    const { documents, rng, tokenizer, threads = 0, rows, length } = options;
    this.start = {
      epoch: 0,
      index: 0,
      turn: 0,
      lanes: writeLanes(new Array<Lane>(rows * LANES_PER_ROW).fill(undefined)),
    };
    this.order = isList(documents) ? new DocumentList(documents, rng) : documents;
    if (this.order.count === 0) throw emptyCorpus();
    this.examples =
      threads > 0 && tokenizer instanceof Tokenizer
        ? new ThreadedExamples(this.order, { ...options, tokenizer, threads, aheadTokens: 3 * rows * length })
        : new InlineExamples(this.order, options);
  }

  /** @throws UserError `checkpoint.position`, `corpus.empty` */
  async prepare(position: Stage1Position, step: number): Promise<PreparedBatch<Stage1Position>> {
    const { rows, length, tokenizer } = this.options;
    const lanes = readLanes(position.lanes, rows * LANES_PER_ROW);
    await this.reopen(lanes);
    let { epoch, index } = position;
    const objectiveOf = (place: Place): Objective =>
      this.objectiveOf(place.epoch, this.order.numberAt(place.epoch, place.index), step);
    const source: LaneSource = {
      open: (document) => Promise.resolve(this.open.get(keyOf(document))!),
      begin: async () => {
        for (let empty = 0; empty <= this.order.count; empty++) {
          const place = { epoch, index };
          const wanted = objectiveOf(place);
          const example = await this.examples.next(place, wanted, objectiveOf);
          [epoch, index] = index + 1 === this.order.count ? [epoch + 1, 0] : [epoch, index + 1];
          if (example === undefined) continue;
          this.open.set(keyOf({ ...place, objective: wanted }), example);
          return { place, example };
        }
        throw emptyCorpus();
      },
    };
    const first = position.turn * rows;
    const readers = lanes.slice(first, first + rows).map((lane) => new LaneReader(lane, source));
    const packed = await packRows((row) => readers[row]!, { rows, length, padId: tokenizer.padId });
    readers.forEach(({ lane }, row) => (lanes[first + row] = lane));
    this.keep(lanes);
    const turn = (position.turn + 1) % LANES_PER_ROW;
    return {
      tensors: packedTensors(packed),
      stats: {
        ...packedStats(packed),
        documents: readers.reduce((sum, { finished }) => sum + finished, 0),
        without_identifiers: readers.reduce((sum, { fallbacks }) => sum + fallbacks, 0),
      },
      next: { epoch, index, turn, lanes: writeLanes(lanes) },
    };
  }

  /** Ends the threads and closes the documents' files. */
  async close(): Promise<void> {
    await this.examples.close();
    await this.order.close();
  }

  /** Makes the documents in hand that are not here: all of them, after a resume. In their order, as files are read so. */
  private async reopen(lanes: readonly Lane[]): Promise<void> {
    const missing = lanes.filter((lane) => lane !== undefined).filter((lane) => !this.open.has(keyOf(lane)));
    missing.sort((a, b) => a.epoch - b.epoch || a.index - b.index);
    for (const lane of missing) {
      const example = await this.examples.one(lane, lane.objective);
      if (example === undefined) throw internalError("a document in hand has no tokens");
      this.open.set(keyOf(lane), example);
    }
  }

  private keep(lanes: readonly Lane[]): void {
    const kept = new Set(lanes.filter((lane) => lane !== undefined).map(keyOf));
    for (const key of this.open.keys()) if (!kept.has(key)) this.open.delete(key);
  }

  private objectiveOf(epoch: number, document: number, step: number): Objective {
    const { objective, rng, steps } = this.options;
    if (objective === "P") return rng.split("objective", epoch, document).uniform() < 0.5 ? "R" : "D";
    if (objective === "S") return step < steps / 2 ? "R" : "D";
    return objective;
  }
}

function keyOf({ epoch, index, objective }: Place & { readonly objective: Objective }): string {
  return `${epoch} ${index} ${objective}`;
}

function isList(documents: readonly TrainingDocument[] | DocumentOrder): documents is readonly TrainingDocument[] {
  return Array.isArray(documents);
}

/** Packed rows as stage 1's program takes them; unused room repeats position 0 with weight 0. */
export function packedTensors(packed: PackedRows): Record<string, Tensor> {
  const { rows, length, masked } = packed;
  const count = masked.index.length;
  const capacity = maskedCapacity(count, rows * length);
  const padded = (values: Int32Array): Tensor => {
    const data = new Int32Array(capacity);
    data.set(values);
    return tensor("int32", [capacity], data);
  };
  const weight = new Float32Array(capacity).fill(1 / Math.max(1, count), 0, count);
  return {
    input_ids: tensor("int32", [rows, length], packed.inputIds),
    positions: tensor("int32", [rows, length], packed.positions),
    segments: tensor("int32", [rows, length], packed.segments),
    masked_index: padded(masked.index),
    masked_label: padded(masked.label),
    masked_weight: tensor("float32", [capacity], weight),
    objective: padded(masked.objective),
    row_ids: int32(
      [rows],
      Int32Array.from({ length: rows }, (_, row) => row),
    ),
  };
}

function packedStats(packed: PackedRows): Record<string, number> {
  const tokens = packed.segments.reduce((sum, segment) => sum + (segment > 0 ? 1 : 0), 0);
  const deobfuscated = packed.masked.objective.reduce((sum, code) => sum + code, 0);
  return {
    tokens,
    padding: packed.rows * packed.length - tokens,
    masked_r: packed.masked.index.length - deobfuscated,
    masked_d: deobfuscated,
    tokens_d: packed.deobfuscated,
  };
}

function emptyCorpus(): UserError {
  return new UserError("corpus.empty", "stage 1: expected documents with at least one token, got none", {
    fix: "Build a corpus from folders that hold source files",
  });
}
