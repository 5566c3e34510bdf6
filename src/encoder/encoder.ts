import { ProgressMeter, tensor, UserError, type ProgressListener, type Tensor } from "../base/index.js";
import type { EngineSession } from "../engine/index.js";
import type { ModelConfig } from "../model/index.js";
import type { Tokenizer } from "../tokenizer/index.js";
import { planBatches } from "./_batches.js";

export interface EmbedOptions {
  /** Tokens of a text that are read, its end-of-sequence token included. Default, and at most, the model's own. */
  readonly maxLength?: number;
  /** Tokens in one run of the model, padding included; bounds memory. */
  readonly batchTokens?: number;
  /** Texts that are read ahead and sorted by length together. */
  readonly window?: number;
  /** Known number of texts, for progress. */
  readonly total?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
}

const DEFAULT_BATCH_TOKENS = 2048;
const DEFAULT_WINDOW = 1024;
/** A window also ends at this many UTF-16 code units, so that huge texts do not pile up. */
const WINDOW_UNITS = 2 ** 23;

/** Turns texts into unit vectors: a tokenizer and an opened model. Made by `loadEncoder` or `encoderFromState`. */
export class Encoder {
  /** Numbers in a vector. */
  readonly dim: number;

  constructor(
    readonly config: ModelConfig,
    readonly tokenizer: Tokenizer,
    private readonly session: EngineSession,
    /** The program of the session that takes `input_ids` and `attention_mask`. */
    private readonly program: string,
  ) {
    this.dim = config.width;
  }

  /**
   * Vectors of length 1 (so that a dot product is the cosine similarity), one for each text, in the order of the texts.
   * Texts are read in windows; inside one they run sorted by length. A text's vector does not depend on its neighbours
   * (to rounding, 1e-6). The empty text is the end-of-sequence token alone.
   *
   * @throws UserError `embed.max-length` for more tokens than the model has positions; the signal's reason when aborted
   */
  async *embed(
    texts: Iterable<string> | AsyncIterable<string>,
    options: EmbedOptions = {},
  ): AsyncGenerator<Float32Array, void, undefined> {
    const meter = new ProgressMeter("embed", "texts", options.total, options.onProgress);
    const maxLength = this.checkLength(options.maxLength ?? this.config.maxLength);
    const windows = this.tokenWindows(texts, maxLength, options);
    let done = 0;
    let pending = windows.next();
    try {
      for (;;) {
        const window = await pending;
        if (window.done === true) break;
        // The next window is tokenized while the engine, in its own thread, works on this one.
        pending = windows.next();
        pending.catch(() => undefined); // Rethrown when awaited; until then not unhandled.
        const vectors = await this.embedWindow(window.value, options, (count) => meter.update(done + count));
        done += window.value.length;
        for (let row = 0; row < window.value.length; row++) {
          yield vectors.slice(row * this.dim, (row + 1) * this.dim);
        }
      }
      meter.update(done, undefined, done);
    } finally {
      // Closes the texts, too, when the consumer stops early; not awaited, since a source may be waiting for input.
      windows.return(undefined).catch(() => undefined);
    }
  }

  /** {@link embed} as one array, row by row: `[n * dim]`. */
  async embedAll(
    texts: Iterable<string> | AsyncIterable<string>,
    options: EmbedOptions = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    const rows: Float32Array[] = [];
    const total = options.total ?? (Array.isArray(texts) ? texts.length : undefined);
    for await (const row of this.embed(texts, total === undefined ? options : { ...options, total })) rows.push(row);
    const all = new Float32Array(rows.length * this.dim);
    rows.forEach((row, i) => all.set(row, i * this.dim));
    return all;
  }

  /**
   * Vectors of sequences that are tokenized already, as `tokenizer.encodeBatchForModel` gives them: `[n * dim]`.
   *
   * @throws RangeError for an empty sequence or one longer than the model's positions; the signal's reason when aborted
   */
  async embedSequences(sequences: readonly Int32Array[], options: EmbedOptions = {}): Promise<Float32Array> {
    const wrong = sequences.find(({ length }) => length < 1 || length > this.config.maxLength);
    if (wrong !== undefined) {
      throw new RangeError(`embed: expected 1 to ${this.config.maxLength} tokens, got ${wrong.length}`);
    }
    return this.embedWindow(sequences, options, () => undefined);
  }

  /** Ends the engine's session. */
  close(): Promise<void> {
    return this.session.close();
  }

  private checkLength(maxLength: number): number {
    if (Number.isInteger(maxLength) && maxLength >= 1 && maxLength <= this.config.maxLength) return maxLength;
    throw new UserError(
      "embed.max-length",
      `embed: expected a maximal length from 1 to ${this.config.maxLength} tokens, got ${maxLength}`,
      { fix: "Give a smaller one; longer texts are cut" },
    );
  }

  private async *tokenWindows(
    texts: Iterable<string> | AsyncIterable<string>,
    maxLength: number,
    { window = DEFAULT_WINDOW, signal }: EmbedOptions,
  ): AsyncGenerator<Int32Array[], undefined, undefined> {
    let held: string[] = [];
    let units = 0;
    for await (const text of texts) {
      signal?.throwIfAborted();
      held.push(text);
      units += text.length;
      if (held.length < window && units < WINDOW_UNITS) continue;
      yield await this.tokenizer.encodeBatchForModel(held, maxLength);
      held = [];
      units = 0;
    }
    if (held.length > 0) yield await this.tokenizer.encodeBatchForModel(held, maxLength);
  }

  /** @returns [rows, dim], in the order of the window */
  private async embedWindow(
    sequences: readonly Int32Array[],
    { batchTokens = DEFAULT_BATCH_TOKENS, signal }: EmbedOptions,
    onRows: (done: number) => void,
  ): Promise<Float32Array> {
    const vectors = new Float32Array(sequences.length * this.dim);
    const lengths = sequences.map((sequence) => sequence.length);
    let done = 0;
    for (const { rows, length } of planBatches(lengths, batchTokens)) {
      signal?.throwIfAborted();
      const batch = padded(
        rows.map((row) => sequences[row]!),
        length,
        this.config.padId,
      );
      const { sentence_embedding: output } = await this.session.run(this.program, batch);
      const data = output!.data as Float32Array; // [rows, dim]
      rows.forEach((row, i) => vectors.set(data.subarray(i * this.dim, (i + 1) * this.dim), row * this.dim));
      done += rows.length;
      onRows(done);
    }
    return vectors;
  }
}

/** `input_ids` and `attention_mask`, int64 [B, T]. */
function padded(sequences: readonly Int32Array[], length: number, padId: number): Record<string, Tensor> {
  const ids = new BigInt64Array(sequences.length * length).fill(BigInt(padId));
  const mask = new BigInt64Array(sequences.length * length);
  sequences.forEach((sequence, row) => {
    for (let i = 0; i < sequence.length; i++) ids[row * length + i] = BigInt(sequence[i]!);
    mask.fill(1n, row * length, row * length + sequence.length);
  });
  const dims = [sequences.length, length];
  return { input_ids: tensor("int64", dims, ids), attention_mask: tensor("int64", dims, mask) };
}
