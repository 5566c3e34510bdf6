import { int32, tensor, UserError, type Rng, type Tensor } from "../base/index.js";
import { Tokenizer } from "../tokenizer/index.js";
import { DocumentList, type DocumentOrder } from "./documents.js";
import { InlineExamples, ThreadedExamples, type ExampleSource } from "./example-sources.js";
import type { OpenedExample } from "./examples.js";
import type { RandomMasking, Rate } from "./masking.js";
import { maskedCapacity, packRows, type Example, type Objective, type PackedRows } from "./packing.js";
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

/** The document `index` of `epoch`'s order, from token `offset`; its objective was settled when it was begun. */
export type Stage1Position = {
  readonly epoch: number;
  readonly index: number;
  readonly offset: number;
  readonly objective: Objective | null;
};

/**
 * Stage 1's batches. Documents are tokenised when their turn comes, or by threads somewhat earlier, so that start-up is
 * short and memory bounded. What a document looks like depends on the key, the epoch and the document only, never on
 * where it falls in a batch.
 */
export class Stage1Batches implements BatchSource<Stage1Position> {
  readonly start: Stage1Position = { epoch: 0, index: 0, offset: 0, objective: null };
  private readonly order: DocumentOrder;
  private readonly examples: ExampleSource;
  private lastExample: { readonly key: string; readonly example: OpenedExample } | undefined;

  /** @throws UserError `corpus.empty` */
  constructor(private readonly options: Stage1BatchOptions) {
    const { documents, rng, tokenizer, threads = 0, rows, length } = options;
    this.order = isList(documents) ? new DocumentList(documents, rng) : documents;
    if (this.order.count === 0) throw emptyCorpus();
    this.examples =
      threads > 0 && tokenizer instanceof Tokenizer
        ? new ThreadedExamples(this.order, { ...options, tokenizer, threads, aheadTokens: 3 * rows * length })
        : new InlineExamples(this.order, options);
  }

  async prepare(position: Stage1Position, step: number): Promise<PreparedBatch<Stage1Position>> {
    const reader = new DocumentReader(position, this.order.count, (at) => this.example(at, step));
    const packed = await packRows(reader, {
      rows: this.options.rows,
      length: this.options.length,
      padId: this.options.tokenizer.padId,
    });
    return {
      tensors: packedTensors(packed),
      stats: { ...packedStats(packed), documents: reader.finished, without_identifiers: reader.fallbacks },
      next: reader.position,
    };
  }

  /** Ends the threads and closes the documents' files. */
  async close(): Promise<void> {
    await this.examples.close();
    await this.order.close();
  }

  /** The masked document at a position, whole, with its end-of-sequence token. Empty documents give undefined. */
  private async example(at: Stage1Position, step: number): Promise<OpenedExample | undefined> {
    const objectiveOf = ({ epoch, index }: { epoch: number; index: number }): Objective =>
      this.objectiveOf(epoch, this.order.numberAt(epoch, index), step);
    const wanted = at.objective ?? objectiveOf(at);
    const key = `${at.epoch} ${at.index} ${wanted}`; // A long document goes through many batches.
    if (this.lastExample?.key === key) return this.lastExample.example;
    const { epoch, index } = at;
    const example = await this.examples.get({ epoch, index }, wanted, objectiveOf);
    if (example !== undefined) this.lastExample = { key, example };
    return example;
  }

  private objectiveOf(epoch: number, document: number, step: number): Objective {
    const { objective, rng, steps } = this.options;
    if (objective === "P") return rng.split("objective", epoch, document).uniform() < 0.5 ? "R" : "D";
    if (objective === "S") return step < steps / 2 ? "R" : "D";
    return objective;
  }
}

function isList(documents: readonly TrainingDocument[] | DocumentOrder): documents is readonly TrainingDocument[] {
  return Array.isArray(documents);
}

/** Walks over documents in epoch order and counts what it meets. */
class DocumentReader {
  finished = 0;
  fallbacks = 0;
  private held: OpenedExample | undefined;

  constructor(
    public position: Stage1Position,
    private readonly documents: number,
    private readonly example: (at: Stage1Position) => Promise<OpenedExample | undefined>,
  ) {}

  get offset(): number {
    return this.position.offset;
  }

  set offset(offset: number) {
    this.position = { ...this.position, offset, objective: this.held?.wanted ?? null };
  }

  async current(): Promise<Example> {
    for (let empty = 0; this.held === undefined; empty++) {
      if (empty > this.documents) throw emptyCorpus();
      this.held = await this.example(this.position);
      if (this.held === undefined) this.advance();
    }
    return this.held;
  }

  advance(): void {
    const { epoch, index } = this.position;
    const last = index + 1 === this.documents;
    if (this.held !== undefined) {
      this.finished += 1;
      if (this.held.objective !== this.held.wanted) this.fallbacks += 1;
    }
    this.held = undefined;
    this.position = { epoch: last ? epoch + 1 : epoch, index: last ? 0 : index + 1, offset: 0, objective: null };
  }
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
