import { createRequire } from "node:module";
import { join } from "node:path";
import type * as Library from "tokenizers";
import { messageOf, sha256, UserError, writeFileAtomic } from "../base/index.js";
import { SPECIAL_TOKENS, type AddedTokenJson, type TokenizerJson } from "./_format.js";
import { toUtf16Offsets } from "./_offsets.js";
import { PieceEncoder } from "./pieces.js";

/** Texts from which remembering pieces pays. */
const MANY = 64;

export interface Encoding {
  readonly ids: Int32Array;
  /**
   * `[start, end)` of every token in UTF-16 code units of the text, two numbers a token. A character that several tokens
   * share (an emoji is up to four bytes) is the offset of each of them. Untrimmed: a leading space belongs to its token.
   */
  readonly offsets: Int32Array;
}

/** Names of the special tokens; a file that was not trained here may lack some. */
export interface SpecialTokens {
  readonly pad?: string;
  readonly eos?: string;
  readonly mask?: string;
}

/**
 * A tokenizer as its `tokenizer.json` describes it, run by Hugging Face's own library.
 *
 * Text is text: `<mask>` or `<eos>` written in a source file is encoded by its characters and never becomes a special
 * token. (Other readers of the same file do turn it into one.) Ids of special tokens come only from the properties here.
 */
export class Tokenizer {
  /** Rows an embedding table needs: the largest id plus one. */
  readonly vocabSize: number;
  /** SHA-256 of the `tokenizer.json` text. */
  readonly hash: string;

  /** What the file says. @internal */
  readonly json: TokenizerJson;
  private made: Library.Tokenizer | undefined;
  private withSpecials: Library.Tokenizer | undefined;
  private pieces: PieceEncoder | undefined;
  private readonly specialIds: ReadonlySet<number>;
  private readonly ids: { readonly pad?: number; readonly eos?: number; readonly mask?: number };
  private readonly longestToken: number;

  /**
   * @param source the text of a `tokenizer.json`
   * @param special names of the special tokens; defaults to those of a tokenizer trained here
   * @param where named in errors
   * @param trusted the file is known to be whole: the library reads it when it is needed, not at once
   * @throws UserError `tokenizer.invalid`
   */
  constructor(
    readonly source: string,
    readonly special: SpecialTokens = SPECIAL_TOKENS,
    private readonly where = "tokenizer",
    trusted = false,
  ) {
    const json = parse(source, where);
    this.json = json;
    const added = json.added_tokens ?? [];
    const isSpecial = new Set(Object.values(special) as string[]);
    const specials = added.filter((token) => token.special || isSpecial.has(token.content));
    this.specialIds = new Set(specials.map((token) => token.id));
    if (!trusted) void this.native;
    let largest = -1;
    let longest = 1;
    const seen = (token: string, id: number): void => {
      if (id > largest) largest = id;
      if (token.length > longest) longest = token.length;
    };
    const { vocab } = json.model;
    if (Array.isArray(vocab)) vocab.forEach(([token], id) => seen(token, id));
    else for (const token in vocab) seen(token, vocab[token]!);
    for (const token of added) seen(token.content, token.id);
    this.vocabSize = largest + 1;
    this.longestToken = longest;
    const idOf = (name: string | undefined): number | undefined => {
      if (name === undefined) return undefined;
      const found = added.find((token) => token.content === name)?.id;
      return found ?? (Array.isArray(vocab) || !Object.hasOwn(vocab, name) ? undefined : vocab[name]);
    };
    const [pad, eos, mask] = [idOf(special.pad), idOf(special.eos), idOf(special.mask)];
    this.ids = {
      ...(pad === undefined ? {} : { pad }),
      ...(eos === undefined ? {} : { eos }),
      ...(mask === undefined ? {} : { mask }),
    };
    this.hash = sha256(source);
  }

  /** The library's tokenizer, for text alone. */
  private get native(): Library.Tokenizer {
    if (this.made !== undefined) return this.made;
    const { json } = this;
    const textOnly = {
      ...json,
      truncation: null,
      padding: null,
      post_processor: null,
      added_tokens: hideSpecials(json.added_tokens ?? [], this.specialIds, json.model.vocab),
    };
    try {
      return (this.made = nativeModule().Tokenizer.fromString(JSON.stringify(textOnly)));
    } catch (error) {
      throw invalid(this.where, messageOf(error), error);
    }
  }

  /** @throws UserError `tokenizer.no-pad` where the file names no padding token */
  get padId(): number {
    return this.need("pad");
  }

  /** @throws UserError `tokenizer.no-eos` */
  get eosId(): number {
    return this.need("eos");
  }

  /** @throws UserError `tokenizer.no-mask` */
  get maskId(): number {
    return this.need("mask");
  }

  /** Whether the file names that special token, so that its id can be asked for. */
  has(role: keyof SpecialTokens): boolean {
    return this.ids[role] !== undefined;
  }

  private need(role: keyof SpecialTokens): number {
    const id = this.ids[role];
    if (id !== undefined) return id;
    throw new UserError(`tokenizer.no-${role}`, `${this.where}: expected a ${role} token, got none`, {
      fix: `Add the token to tokenizer.json (added_tokens) and name it as "${role}_token" in tokenizer_config.json`,
    });
  }

  /** Tokens of a text with their offsets; nothing is added and nothing cut off. */
  async encode(text: string): Promise<Encoding> {
    return withOffsets(text, await this.native.encode(text, null, { addSpecialTokens: false }));
  }

  /** {@link encode} for many texts, on all processors. */
  async encodeBatch(texts: readonly string[]): Promise<Encoding[]> {
    const encodings = await this.native.encodeBatch([...texts], { addSpecialTokens: false });
    return encodings.map((encoding, i) => withOffsets(texts[i]!, encoding));
  }

  /** Ids of many texts, without offsets: the cheaper form. */
  async encodeIds(texts: readonly string[]): Promise<Int32Array[]> {
    const encodings = await this.native.encodeBatch([...texts], { addSpecialTokens: false });
    return encodings.map((encoding) => Int32Array.from(encoding.getIds()));
  }

  /**
   * Ids as a model takes them: at most `maxLength - 1` tokens of the text, then the end-of-sequence token (always). The
   * empty text is that token alone.
   */
  async encodeForModel(text: string, maxLength: number): Promise<Int32Array> {
    const [ids] = await this.encodeBatchForModel([text], maxLength);
    return ids!;
  }

  /** {@link encodeForModel} for many texts, pieces remembered where that is possible. @throws RangeError where `maxLength` is under 1 */
  async encodeBatchForModel(texts: readonly string[], maxLength: number): Promise<Int32Array[]> {
    if (texts.length < MANY) return this.encodeBatchByLibrary(texts, maxLength);
    this.pieces ??= new PieceEncoder(this);
    return this.pieces.encode(texts, maxLength);
  }

  /** {@link encodeBatchForModel} by the library alone. */
  async encodeBatchByLibrary(texts: readonly string[], maxLength: number): Promise<Int32Array[]> {
    if (!(maxLength >= 1)) throw new RangeError(`tokenizer: expected a maxLength of at least 1, got ${maxLength}`);
    const eos = this.eosId;
    const heads = texts.map((text) => this.headOf(text, maxLength));
    const encoded = await this.encodeIds(heads);
    return Promise.all(
      encoded.map(async (ids, i) => {
        const cutTooEarly = heads[i] !== texts[i] && ids.length < maxLength;
        const all = cutTooEarly ? (await this.encodeIds([texts[i]!]))[0]! : ids;
        const length = Math.min(all.length, maxLength - 1);
        const out = new Int32Array(length + 1);
        out.set(all.subarray(0, length));
        out[length] = eos;
        return out;
      }),
    );
  }

  /**
   * The start of a text that surely holds its first `maxLength` tokens, so that 50 MB are not encoded for 256 tokens. It
   * ends before white space, where no piece of text goes on.
   */
  private headOf(text: string, maxLength: number): string {
    const enough = maxLength * this.longestToken;
    if (text.length <= 2 * enough) return text;
    const end = /\S\s/g;
    end.lastIndex = enough;
    const found = end.exec(text.slice(0, 2 * enough));
    return found === null ? text : text.slice(0, found.index + 1);
  }

  /**
   * The text of some ids. Bytes that are not UTF-8 (half a character) read as U+FFFD.
   *
   * @param options.special write special tokens by name instead of leaving them out
   */
  async decode(ids: ArrayLike<number>, options: { special?: boolean } = {}): Promise<string> {
    if (options.special === true) {
      this.withSpecials ??= nativeModule().Tokenizer.fromString(this.source);
      return this.withSpecials.decode(Array.from(ids), false);
    }
    return this.native.decode(
      Array.from(ids).filter((id) => !this.specialIds.has(id)),
      false,
    );
  }

  /** The token of an id as the file writes it (byte-level symbols), or undefined. */
  tokenOf(id: number): string | undefined {
    this.withSpecials ??= nativeModule().Tokenizer.fromString(this.source);
    return this.withSpecials.idToToken(id) ?? undefined;
  }

  /**
   * Writes `tokenizer.json` and `tokenizer_config.json` (the names of the special tokens, as transformers reads them)
   * into a folder.
   */
  async save(folder: string): Promise<void> {
    await writeFileAtomic(join(folder, "tokenizer.json"), this.source);
    await writeFileAtomic(join(folder, "tokenizer_config.json"), this.configText());
  }

  /** The text of `tokenizer_config.json`. @param modelMaxLength tokens, the end-of-sequence token included */
  configText(modelMaxLength?: number): string {
    const { pad, eos, mask } = this.special;
    const config = {
      tokenizer_class: "PreTrainedTokenizerFast",
      clean_up_tokenization_spaces: false,
      model_input_names: ["input_ids", "attention_mask"],
      ...(modelMaxLength === undefined ? {} : { model_max_length: modelMaxLength }),
      ...(pad === undefined ? {} : { pad_token: pad }),
      ...(eos === undefined ? {} : { eos_token: eos }),
      ...(mask === undefined ? {} : { mask_token: mask }),
    };
    return `${JSON.stringify(config, null, 2)}\n`;
  }
}

/**
 * Added tokens under which no special one is found in a text. The library numbers added tokens that the model lacks in
 * their order, so such a special token keeps its place, under a name of noncharacters.
 */
function hideSpecials(
  added: readonly AddedTokenJson[],
  specialIds: ReadonlySet<number>,
  vocab: TokenizerJson["model"]["vocab"],
): AddedTokenJson[] {
  const inModel = (token: string): boolean =>
    Array.isArray(vocab) ? vocab.some(([known]) => known === token) : Object.hasOwn(vocab, token);
  return added
    .filter((token) => !specialIds.has(token.id) || !inModel(token.content))
    .map((token) => (specialIds.has(token.id) ? { ...token, content: `\u{FDD2}${token.id}\u{FDD2}` } : token));
}

function withOffsets(text: string, encoding: Library.JsEncoding): Encoding {
  return { ids: Int32Array.from(encoding.getIds()), offsets: toUtf16Offsets(text, encoding.getOffsets()) };
}

function parse(source: string, where: string): TokenizerJson {
  let json: unknown;
  try {
    json = JSON.parse(source);
  } catch (error) {
    throw invalid(where, messageOf(error), error);
  }
  const model = typeof json === "object" && json !== null && "model" in json ? json.model : undefined;
  if (typeof model !== "object" || model === null || !("vocab" in model)) throw invalid(where, "it has no model.vocab");
  return json as TokenizerJson;
}

function invalid(where: string, what: string, cause?: unknown): UserError {
  return new UserError("tokenizer.invalid", `${where}: expected a tokenizer.json, but ${what}`, {
    fix: "Point to a file written by `lodestone tokenizer train` or by Hugging Face tokenizers",
    ...(cause === undefined ? {} : { cause }),
  });
}

let native: typeof Library | undefined;

/** The library is native code of some 10 MB: loaded at first use. */
function nativeModule(): typeof Library {
  native ??= createRequire(import.meta.url)("tokenizers") as typeof Library;
  return native;
}
