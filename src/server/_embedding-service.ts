import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { sha256 } from "../base/index.js";
import { MODEL_FILES, openEncoder, type Embedder } from "../encoder/index.js";
import { Batcher, type BatcherOptions } from "./_batcher.js";
import { ApiError } from "./_errors.js";
import { MAX_INPUTS } from "./_schemas.js";

/** What requests give as their input. */
export type Inputs = string | readonly string[] | readonly number[] | readonly (readonly number[])[];

/** Vectors of a request. */
export interface Embedded {
  readonly vectors: readonly Float32Array[];
  /** Tokens that the model read. */
  readonly tokens: number;
}

export interface EmbeddingOptions extends Omit<BatcherOptions, "dim"> {
  /** Tokens of one request, at most. */
  readonly requestTokens: number;
  readonly autoTruncate: boolean;
}

/** A model as it is named and described. */
export interface ServedModel {
  readonly name: string;
  readonly sha: string | null;
  readonly encoder: Embedder;
  /** Shorter lengths that the model was trained to be cut to. */
  readonly matryoshka: readonly number[];
}

/**
 * Opens a model folder for serving. Lengths to which vectors may be cut stand in its `config.json`, in the `lodestone`
 * section as `matryoshka: [64, 128]`.
 *
 * @throws UserError `model.*`
 */
export async function openModel(folder: string, name: string | undefined, threads?: number): Promise<ServedModel> {
  const encoder = await openEncoder(folder, threads === undefined ? {} : { threads });
  const config = JSON.parse(await readFile(join(folder, MODEL_FILES.config), "utf8")) as {
    lodestone?: { matryoshka?: unknown };
  };
  const given = config.lodestone?.matryoshka;
  const matryoshka = (Array.isArray(given) ? given : []).filter(
    (size): size is number => Number.isInteger(size) && size > 0 && size < encoder.dim,
  );
  const sha = sha256(await readFile(join(folder, MODEL_FILES.checksums)));
  return { name: name ?? basename(resolve(folder)), sha, encoder, matryoshka };
}

/** Embeds what requests give: tokenizes, checks limits, queues. */
export class EmbeddingService {
  readonly batcher: Batcher;

  constructor(
    readonly model: ServedModel,
    private readonly options: EmbeddingOptions,
  ) {
    const { encoder } = model;
    const { batchTokens } = options;
    this.batcher = new Batcher((sequences) => encoder.embedSequences(sequences, { batchTokens }), {
      ...options,
      dim: encoder.dim,
    });
  }

  /** Lengths of vectors that may be asked for, longest first. */
  get dimensions(): readonly number[] {
    return [this.model.encoder.dim, ...[...this.model.matryoshka].sort((a, b) => b - a)];
  }

  /** @throws ApiError 400, 413, 429; the signal's reason */
  async embed(
    inputs: Inputs,
    { truncate, dimensions, signal }: { truncate?: boolean; dimensions?: number; signal: AbortSignal },
  ): Promise<Embedded> {
    const { dim } = this.model.encoder;
    if (dimensions !== undefined && !this.dimensions.includes(dimensions)) {
      throw new ApiError(
        400,
        "invalid_dimensions",
        `dimensions: expected ${this.dimensions.join(" or ")}, since this model was trained for no other, got ${dimensions}`,
        { param: "dimensions" },
      );
    }
    const sequences = await this.tokenize(inputs, truncate ?? this.options.autoTruncate);
    const tokens = sequences.reduce((sum, { length }) => sum + length, 0);
    if (tokens > this.options.requestTokens) {
      throw new ApiError(
        413,
        "request_too_large",
        `input: expected at most ${this.options.requestTokens} tokens in one request, got ${tokens}`,
        { param: "input" },
      );
    }
    const all = await this.batcher.submit(sequences, signal);
    const vectors = sequences.map((_, i) => cut(all.subarray(i * dim, (i + 1) * dim), dimensions ?? dim));
    return { vectors, tokens };
  }

  /** Sequences as the model takes them, the end-of-sequence token last. */
  private async tokenize(inputs: Inputs, truncate: boolean): Promise<Int32Array[]> {
    const { config, tokenizer } = this.model.encoder;
    const items = itemsOf(inputs);
    if (items.length === 0 || items.length > MAX_INPUTS) {
      const [status, code] = items.length === 0 ? [400 as const, "empty_input"] : [413 as const, "batch_too_large"];
      throw new ApiError(status, code, `input: expected 1 to ${MAX_INPUTS} texts, got ${items.length}`, {
        param: "input",
      });
    }
    const texts = items.filter((item) => typeof item === "string");
    // One more than fits tells a text that is too long from one that just fits.
    const encoded = await tokenizer.encodeBatchForModel(texts, config.maxLength + 1);
    let text = 0;
    return items.map((item, i) => {
      const sequence = typeof item === "string" ? encoded[text++]! : this.checkedIds(item, i);
      if (sequence.length <= config.maxLength) return sequence;
      if (!truncate) {
        throw new ApiError(
          413,
          "context_length_exceeded",
          `input: expected at most ${config.maxLength - 1} tokens in a text, got more in text ${i}; cut it, or start the server with --auto-truncate`,
          { param: "input" },
        );
      }
      const short = sequence.slice(0, config.maxLength);
      short[config.maxLength - 1] = config.eosId;
      return short;
    });
  }

  private checkedIds(ids: readonly number[], place: number): Int32Array {
    const { config } = this.model.encoder;
    const wrong = ids.find((id) => id >= config.vocabSize);
    if (wrong !== undefined) {
      throw new ApiError(
        400,
        "invalid_token",
        `input: expected token ids below ${config.vocabSize}, got ${wrong} in text ${place}; they must come from this model's tokenizer`,
        { param: "input" },
      );
    }
    return ids.at(-1) === config.eosId ? Int32Array.from(ids) : Int32Array.from([...ids, config.eosId]);
  }
}

/** Texts and token sequences. A flat list of numbers is one sequence. */
function itemsOf(inputs: Inputs): readonly (string | readonly number[])[] {
  if (typeof inputs === "string") return [inputs];
  if (typeof inputs[0] === "number") return [inputs as readonly number[]];
  return inputs as readonly (string | readonly number[])[];
}

/** The first numbers of a vector, brought to length 1 again. */
export function cut(vector: Float32Array, dimensions: number): Float32Array {
  if (dimensions === vector.length) return vector;
  const short = vector.slice(0, dimensions);
  const norm = Math.sqrt(short.reduce((sum, value) => sum + value * value, 0));
  return short.map((value) => value / Math.max(norm, 1e-12));
}

/** Little-endian float32, as OpenAI's clients read it. */
export function base64Of(vector: Float32Array): string {
  const bytes = Buffer.alloc(4 * vector.length);
  vector.forEach((value, i) => bytes.writeFloatLE(value, 4 * i));
  return bytes.toString("base64");
}
