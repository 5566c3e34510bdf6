import { int32, tensor, UserError, type Rng, type Tensor } from "../base/index.js";
import { WeightedCache } from "./_cache.js";
import { maskIdentifiers, segmentTokens, type SegmentedTokens } from "./deobfuscation.js";
import {
  maskRandom,
  UNMASKED,
  type MaskedTokens,
  type MaskVocabulary,
  type RandomMasking,
  type Rate,
} from "./masking.js";
import { epochOrder, Latest } from "./order.js";
import { maskedCapacity, packRows, type Example, type Objective, type PackedRows } from "./packing.js";
import type { BatchSource, FindIdentifiers, PreparedBatch, PretrainTokenizer, TrainingDocument } from "./types.js";

/** R random masking, D deobfuscation, P a coin per document, S half of the steps R and then D. */
export type ObjectiveMix = "R" | "D" | "P" | "S";

/** What stage 1's batches depend on. */
export interface Stage1BatchOptions {
  readonly documents: readonly TrainingDocument[];
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
}

/** The document `index` of `epoch`'s order, from token `offset`; its objective was settled when it was begun. */
export type Stage1Position = {
  readonly epoch: number;
  readonly index: number;
  readonly offset: number;
  readonly objective: Objective | null;
};

/**
 * Stage 1's batches. Documents are tokenised when their turn comes and kept up to a limit, so that start-up is short
 * and memory bounded. What a document looks like depends on the key, the epoch and the document only, never on where
 * it falls in a batch.
 */
export class Stage1Batches implements BatchSource<Stage1Position> {
  readonly start: Stage1Position = { epoch: 0, index: 0, offset: 0, objective: null };
  private readonly vocabulary: MaskVocabulary;
  private readonly orders: Latest<Uint32Array>;
  private readonly plain: WeightedCache<number, Int32Array>;
  private readonly segmented: WeightedCache<number, SegmentedTokens>;
  private lastExample: { readonly key: string; readonly example: OpenedExample } | undefined;

  /** @throws UserError `corpus.empty` */
  constructor(private readonly options: Stage1BatchOptions) {
    const { documents, tokenizer, rng, cacheTokens = 2 ** 24 } = options;
    if (documents.length === 0) throw emptyCorpus();
    this.vocabulary = {
      maskId: tokenizer.maskId,
      special: new Set([tokenizer.padId, tokenizer.eosId, tokenizer.maskId]),
      vocabSize: tokenizer.vocabSize,
    };
    this.orders = new Latest((epoch) => epochOrder(rng, epoch, documents.length));
    this.plain = new WeightedCache(cacheTokens, (ids) => ids.length);
    this.segmented = new WeightedCache(cacheTokens / 2, (tokens) => tokens.ids.length);
  }

  async prepare(position: Stage1Position, step: number): Promise<PreparedBatch<Stage1Position>> {
    const reader = new DocumentReader(position, this.options.documents.length, (at) => this.example(at, step));
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

  /** The masked document at a position, whole, with its end-of-sequence token. Empty documents give undefined. */
  private async example(at: Stage1Position, step: number): Promise<OpenedExample | undefined> {
    const { rng, tokenizer, masking, share } = this.options;
    const document = this.orders.get(at.epoch)[at.index]!;
    const wanted = at.objective ?? this.objectiveOf(at.epoch, document, step);
    const key = `${at.epoch} ${at.index} ${wanted}`; // A long document goes through many batches.
    if (this.lastExample?.key === key) return this.lastExample.example;
    const draw = rng.split("mask", at.epoch, document);
    const segmented = wanted === "D" ? await this.segment(document) : undefined;
    const masked =
      segmented !== undefined && segmented.identifiers > 0
        ? maskIdentifiers(segmented, share, this.vocabulary, draw)
        : maskRandom(await this.tokens(document), masking, this.vocabulary, draw);
    if (masked.input.length === 0) return undefined;
    const objective = segmented !== undefined && segmented.identifiers > 0 ? "D" : "R";
    const example = { ...ended(masked, tokenizer.eosId), objective, wanted } as const;
    this.lastExample = { key, example };
    return example;
  }

  private objectiveOf(epoch: number, document: number, step: number): Objective {
    const { objective, rng, steps } = this.options;
    if (objective === "P") return rng.split("objective", epoch, document).uniform() < 0.5 ? "R" : "D";
    if (objective === "S") return step < steps / 2 ? "R" : "D";
    return objective;
  }

  private tokens(document: number): Promise<Int32Array> {
    const { documents, tokenizer } = this.options;
    return this.plain.get(document, async () => (await tokenizer.encodeIds([documents[document]!.text]))[0]!);
  }

  private segment(document: number): Promise<SegmentedTokens> {
    const { documents, tokenizer, identifiers } = this.options;
    const { text, lang } = documents[document]!;
    return this.segmented.get(document, async () =>
      segmentTokens(text, await identifiers(text, lang), (pieces) => tokenizer.encodeIds(pieces)),
    );
  }
}

interface OpenedExample extends Example {
  /** What was drawn; differs from `objective` where a document has no identifiers. */
  readonly wanted: Objective;
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

function ended(masked: MaskedTokens, eosId: number): { input: Int32Array; labels: Int32Array } {
  const length = masked.input.length + 1;
  const input = new Int32Array(length);
  input.set(masked.input);
  input[length - 1] = eosId;
  const labels = new Int32Array(length).fill(UNMASKED);
  labels.set(masked.labels);
  return { input, labels };
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
  };
}

function emptyCorpus(): UserError {
  return new UserError("corpus.empty", "stage 1: expected documents with at least one token, got none", {
    fix: "Build a corpus from folders that hold source files",
  });
}
