import { ProgressMeter, type Tensor } from "../base/index.js";
import type { ModelConfig } from "../model/index.js";
import { PieceEncoder, type Tokenizer } from "../tokenizer/index.js";
import type { EmbedOptions, Encoder } from "./encoder.js";
import type { EncoderParts } from "./save.js";
import { memoryOf, simdOver, type Simd } from "./_simd.js";

/** What turns texts into unit vectors: an {@link Encoder} or a {@link StaticEncoder}. */
export type Embedder = Pick<
  Encoder,
  "config" | "tokenizer" | "dim" | "embed" | "embedAll" | "embedSequences" | "close"
>;

/** A table [V, width] of which each number is `(byte - 128) * scale` of its row. */
export interface ByteTable {
  readonly bytes: Uint8Array;
  /** [V] */
  readonly scales: Float32Array;
}

const WINDOW = 512;

/**
 * A static bag (`layers: 0`, no positions) without an engine: a text's vector is the sum of its tokens' rows, each times
 * its token's weight and what its occurrences count, brought to length 1. The same numbers as the model's ONNX file to 1e-5. Where pooling is learned
 * (`weighted`, `attention`), the weight depends on the token alone, so that it is multiplied into the table once.
 */
export class StaticEncoder implements Embedder {
  readonly dim: number;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  private readonly pieces: PieceEncoder;
  private readonly simd: Simd;
  private readonly places: {
    readonly scales: number;
    readonly ids: number;
    readonly counts: number;
    readonly out: number;
  };
  private readonly width: number;
  private readonly seen: Int32Array;
  /** What an occurrence at each position counts. */
  private readonly weightAt: Float32Array;
  /** The same for a token that occurs once. */
  private readonly onceAt: Float32Array;
  /** Views of the memory, which never grows. */
  private readonly idList: Int32Array;
  private readonly countList: Float32Array;
  private readonly sum: Float32Array;
  /** Position of each different token's only occurrence; -1 where there are several. */
  private readonly only: Int32Array;

  /**
   * @param stored the table in bytes instead of the parts' weights: the same vectors, bit by bit, from a quarter of the memory
   * @throws RangeError for a model that is no bag: see {@link isStatic}
   */
  constructor({ config, weights, tokenizer }: EncoderParts, stored?: ByteTable) {
    if (!isStatic(config)) throw new RangeError("static encoder: expected layers 0 and no positions");
    this.config = config;
    this.tokenizer = tokenizer;
    this.dim = config.width;
    this.width = stored === undefined ? Math.ceil(config.width / 4) * 4 : Math.ceil(config.width / 16) * 16;
    this.pieces = new PieceEncoder(tokenizer);
    this.seen = new Int32Array(config.vocabSize);
    const decay = config.positionDecay ?? Infinity;
    this.weightAt = Float32Array.from({ length: config.maxLength }, (_, position) => 1 / (1 + position / decay));
    const scales = config.vocabSize * this.width; // After the bytes; without them there are none.
    const table = stored === undefined ? 4 * scales : scales + 4 * config.vocabSize;
    const ids = Math.ceil(table / 16) * 16;
    const counts = ids + 4 * config.maxLength;
    const out = Math.ceil((counts + 4 * config.maxLength) / 16) * 16;
    this.places = { scales: stored === undefined ? -1 : scales, ids, counts, out };
    const memory = memoryOf(out + 4 * this.width);
    this.simd = simdOver(memory);
    this.onceAt = this.weightAt.map((weight) => weight ** config.repetition);
    this.idList = new Int32Array(memory.buffer, ids, config.maxLength);
    this.countList = new Float32Array(memory.buffer, counts, config.maxLength);
    this.sum = new Float32Array(memory.buffer, out, this.dim);
    this.only = new Int32Array(config.maxLength);
    if (stored === undefined) {
      fillTable(new Float32Array(memory.buffer, 0, config.vocabSize * this.width), this.width, config, weights);
      return;
    }
    setRows(new Uint8Array(memory.buffer, 0, scales), this.width, stored.bytes, this.dim);
    new Float32Array(memory.buffer, scales, config.vocabSize).set(stored.scales);
  }

  /** As {@link Encoder.embed}. */
  async *embed(
    texts: Iterable<string> | AsyncIterable<string>,
    { maxLength = this.config.maxLength, window = WINDOW, total, signal, onProgress }: EmbedOptions = {},
  ): AsyncGenerator<Float32Array, void, undefined> {
    const meter = new ProgressMeter("embed", "texts", total, onProgress);
    let done = 0;
    let held: string[] = [];
    const flush = async (): Promise<Float32Array[]> => {
      signal?.throwIfAborted();
      const vectors = await this.embedBatch(held, maxLength);
      done += held.length;
      held = [];
      meter.update(done);
      return vectors;
    };
    for await (const text of texts) {
      held.push(text);
      if (held.length >= window) yield* await flush();
    }
    if (held.length > 0) yield* await flush();
  }

  /** As {@link Encoder.embedAll}: [n * dim]. */
  async embedAll(
    texts: Iterable<string> | AsyncIterable<string>,
    options: EmbedOptions = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    if (Array.isArray(texts) && options.onProgress === undefined) return this.embedList(texts as string[], options);
    const rows: Float32Array[] = [];
    for await (const row of this.embed(texts, options)) rows.push(row);
    const all = new Float32Array(rows.length * this.dim);
    rows.forEach((row, i) => all.set(row, i * this.dim));
    return all;
  }

  private async embedList(texts: readonly string[], options: EmbedOptions): Promise<Float32Array<ArrayBuffer>> {
    const { maxLength = this.config.maxLength, window = WINDOW, signal } = options;
    const all = new Float32Array(texts.length * this.dim);
    for (let first = 0; first < texts.length; first += window) {
      signal?.throwIfAborted();
      const some = texts.slice(first, first + window);
      const sequences = await this.pieces.encode(some, Math.min(maxLength, this.config.maxLength));
      sequences.forEach((sequence, i) => this.embedInto(sequence, all, (first + i) * this.dim));
    }
    return all;
  }

  /** One vector of length 1 for each text, in their order. */
  async embedBatch(texts: readonly string[], maxLength = this.config.maxLength): Promise<Float32Array[]> {
    const sequences = await this.pieces.encode(texts, Math.min(maxLength, this.config.maxLength));
    return sequences.map((ids) => this.embedIds(ids));
  }

  /** As {@link Encoder.embedSequences}: [n * dim]. */
  embedSequences(sequences: readonly Int32Array[], { signal }: EmbedOptions = {}): Promise<Float32Array> {
    signal?.throwIfAborted();
    const wrong = sequences.find(({ length }) => length < 1 || length > this.config.maxLength);
    if (wrong !== undefined) {
      const got = `got ${wrong.length}`;
      return Promise.reject(new RangeError(`embed: expected 1 to ${this.config.maxLength} tokens, ${got}`));
    }
    const all = new Float32Array(sequences.length * this.dim);
    sequences.forEach((sequence, i) => this.embedInto(sequence, all, i * this.dim));
    return Promise.resolve(all);
  }

  /** The vector of some token ids, the end-of-sequence token among them. */
  embedIds(sequence: Int32Array): Float32Array {
    const vector = new Float32Array(this.dim);
    this.embedInto(sequence, vector, 0);
    return vector;
  }

  private embedInto(sequence: Int32Array, into: Float32Array, at: number): void {
    const { places, seen, idList, countList, only, weightAt, onceAt, sum, dim } = this;
    let unique = 0;
    for (let position = 0; position < sequence.length; position++) {
      const id = sequence[position]!;
      const place = seen[id]! - 1;
      if (place < 0) {
        idList[unique] = id;
        countList[unique] = weightAt[position]!;
        only[unique] = position;
        seen[id] = ++unique;
      } else {
        countList[place]! += weightAt[position]!;
        only[place] = -1;
      }
    }
    for (let i = 0; i < unique; i++) {
      seen[idList[i]!] = 0;
      countList[i] = only[i]! < 0 ? countList[i]! ** this.config.repetition : onceAt[only[i]!]!;
    }
    if (places.scales < 0) this.simd.gather(0, this.width, places.ids, places.counts, unique, places.out);
    else this.simd.gatherBytes(0, this.width, places.scales, places.ids, places.counts, unique, places.out);
    let square = 0;
    for (let i = 0; i < dim; i++) square += sum[i]! * sum[i]!;
    const scale = 1 / Math.sqrt(Math.max(square, 1e-24));
    for (let i = 0; i < dim; i++) into[at + i] = sum[i]! * scale;
  }

  /** Nothing to end: kept so that both kinds of encoder are used alike. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Whether a model is a bag of token vectors, which {@link StaticEncoder} runs. */
export function isStatic(config: Pick<ModelConfig, "layers" | "positions">): boolean {
  return config.layers === 0 && !config.positions;
}

/** {@link StaticEncoder}'s table [V, H]: rows times their tokens' weights. */
export function foldedTable(config: ModelConfig, weights: Readonly<Record<string, Tensor>>): Float32Array {
  const table = new Float32Array(config.vocabSize * config.width);
  fillTable(table, config.width, config, weights);
  return table;
}

/** Rows of `size` numbers into a table whose rows have `width`. */
function setRows<T extends Float32Array | Uint8Array>(table: T, width: number, rows: T, size: number): void {
  if (width === size) table.set(rows);
  else for (let at = 0; at * size < rows.length; at++) table.set(rows.subarray(at * size, (at + 1) * size), at * width);
}

/** Rows of `wte` (after `ln_f` where the pooled states are the final ones), each times its token's weight. */
function fillTable(
  table: Float32Array,
  width: number,
  config: ModelConfig,
  weights: Readonly<Record<string, Tensor>>,
): void {
  const floats = (name: string): Float32Array => weights[name]!.data as Float32Array;
  const source = floats("wte.weight"); // [V, H]
  const size = config.width;
  const norm = config.finalNorm && config.poolStates === "final";
  setRows(table, width, source, size);
  for (let id = 0; norm && id < config.vocabSize; id++) {
    const row = table.subarray(id * width, id * width + size);
    layerNorm(row, floats("ln_f.weight"), floats("ln_f.bias"), config.layerNormEps);
  }
  if (config.pooling === "mean") return; // Every token weighs the same.
  const scales = tokenScales(table, width, config, weights);
  for (let id = 0; id < config.vocabSize; id++) {
    for (let i = id * width; i < id * width + size; i++) table[i]! *= scales[id]!;
  }
}

/** What each token weighs, up to a common factor, which the normalisation takes out. */
function tokenScales(
  table: Float32Array,
  width: number,
  config: ModelConfig,
  weights: Readonly<Record<string, Tensor>>,
): Float64Array {
  const scales = new Float64Array(config.vocabSize).fill(1);
  if (config.pooling === "weighted") {
    const raw = weights["pool.token_weight.weight"]!.data as Float32Array; // [V]
    return scales.map((_, id) => Math.log1p(Math.exp(-Math.abs(raw[id]!))) + Math.max(raw[id]!, 0));
  }
  const query = weights["pool.query.weight"]!.data as Float32Array; // [H]
  for (let id = 0; id < config.vocabSize; id++) {
    let dot = 0;
    for (let i = 0; i < config.width; i++) dot += table[id * width + i]! * query[i]!;
    scales[id] = dot / Math.sqrt(config.width);
  }
  const largest = scales.reduce((a, b) => Math.max(a, b), -Infinity);
  return scales.map((score) => Math.exp(score - largest));
}

function layerNorm(row: Float32Array, weight: Float32Array, bias: Float32Array, eps: number): void {
  let mean = 0;
  for (const value of row) mean += value / row.length;
  let variance = 0;
  for (const value of row) variance += (value - mean) ** 2 / row.length;
  const scale = 1 / Math.sqrt(variance + eps);
  for (let i = 0; i < row.length; i++) row[i] = (row[i]! - mean) * scale * weight[i]! + bias[i]!;
}
