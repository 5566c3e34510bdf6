/**
 * The parts of a `tokenizer.json` (the Hugging Face `tokenizers` format, version 1.0) that we read or write. Everything
 * else in a loaded file is carried along unread.
 */
export interface TokenizerJson {
  version?: string;
  truncation?: unknown;
  padding?: unknown;
  added_tokens?: AddedTokenJson[];
  normalizer?: unknown;
  pre_tokenizer?: unknown;
  post_processor?: unknown;
  decoder?: unknown;
  model: ModelJson;
}

export interface AddedTokenJson {
  id: number;
  content: string;
  special: boolean;
  [option: string]: unknown;
}

export interface ModelJson {
  type?: string;
  /** BPE, WordPiece, WordLevel: token to id. Unigram: `[token, score]` in order of ids. */
  vocab: Record<string, number> | [string, number][];
  /** BPE: pairs, or older files' `"a b"`. */
  merges?: ([string, string] | string)[];
  [option: string]: unknown;
}

/** How a trained tokenizer cuts text before byte-pair merges; all of it lives in its `tokenizer.json`. */
export interface CutOptions {
  /** Cut identifiers at camelCase boundaries (`_` and digits are cut off in any case). */
  readonly splitIdentifiers: boolean;
  /** Fold case. What is decoded is then the lower-cased text. */
  readonly lowercase: boolean;
  /** `attach`: one space leads the piece after it, as in GPT-2. `drop`: white space (and `_`) is not encoded at all. */
  readonly whitespace: "attach" | "drop";
}

export const SPECIAL_TOKENS = { pad: "<pad>", eos: "<eos>", mask: "<mask>" } as const;

/**
 * Marks a camelCase boundary between the normalizer and the pre-tokenizer: case must be folded by the normalizer, which
 * comes first, and the boundary would be gone with it. U+FDD0 is a Unicode noncharacter, kept for such internal use; the
 * pre-tokenizer removes it.
 */
const BOUNDARY_MARK = "\u{FDD0}";

/** Stands for a line feed while training, where the library reads one document a line. Also a noncharacter. */
export const LINE_MARK = "\u{FDD1}";

/** `fooBar` between `o` and `B`; `HTTPServer` between `P` and `S`. */
const CAMEL_BOUNDARY = String.raw`(?<=[\p{Ll}\p{M}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})`;

/**
 * Letters, up to three digits, `_` or other symbols, each led by at most one space; then white space, whose last space
 * goes to the piece that follows. Unlike GPT-2's pattern it knows no English clitics ('s, 't), which would cut into
 * quoted strings, and it never glues `_` to brackets.
 */
const PIECE = String.raw` ?[\p{L}\p{M}]+| ?\p{N}{1,3}| ?_+| ?[^\s\p{L}\p{M}\p{N}_]+|\s+(?!\S)|\s+`;

const [CAMEL, PIECES] = [new RegExp(CAMEL_BOUNDARY, "gu"), new RegExp(PIECE, "gu")];
/** What this engine and the library read differently, or may: a line feed of Latin-1, a byte-order mark, halves of characters, late planes. */
const UNSURE = /[\u{85}\u{feff}\p{Cs}\u{30000}-\u{10ffff}]/u;

/**
 * The pieces of a text without ASCII white space as the library cuts it, given folded case, split identifiers and dropped
 * white space; undefined where the library must be asked. That both agree is tested on every character.
 */
export function piecesOf(text: string): string[] | undefined {
  if (UNSURE.test(text)) return undefined;
  let folded = "";
  // The library folds character by character: no final sigma.
  for (const character of text.replace(CAMEL, BOUNDARY_MARK)) folded += character.toLowerCase();
  return folded.split(/[\s_\ufdd0]+/u).flatMap((part) => part.match(PIECES) ?? []);
}

function split(pattern: { Regex: string } | { String: string }, behavior: "Isolated" | "Removed"): unknown {
  return { type: "Split", pattern, behavior, invert: false };
}

function normalizerOf(cut: CutOptions, training: boolean): unknown {
  const steps: unknown[] = [];
  if (training) steps.push({ type: "Replace", pattern: { String: LINE_MARK }, content: "\n" });
  if (cut.lowercase) {
    if (cut.splitIdentifiers)
      steps.push({ type: "Replace", pattern: { Regex: CAMEL_BOUNDARY }, content: BOUNDARY_MARK });
    steps.push({ type: "Lowercase" });
  }
  return steps.length === 0 ? null : { type: "Sequence", normalizers: steps };
}

function preTokenizerOf(cut: CutOptions): unknown {
  const steps: unknown[] = [];
  if (cut.whitespace === "drop") steps.push(split({ Regex: String.raw`[\s_]+` }, "Removed"));
  if (cut.splitIdentifiers) {
    steps.push(
      cut.lowercase ? split({ String: BOUNDARY_MARK }, "Removed") : split({ Regex: CAMEL_BOUNDARY }, "Isolated"),
    );
  }
  steps.push(split({ Regex: PIECE }, "Isolated"));
  steps.push({ type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false });
  return { type: "Sequence", pretokenizers: steps };
}

/** Byte-level BPE without a vocabulary: what training starts from. */
export function untrainedJson(cut: CutOptions): TokenizerJson {
  return assemble(cut, {}, [], true);
}

/**
 * The finished file: ids 0, 1, 2 are pad, eos and mask, then the 256 byte symbols in the order of their bytes, then one
 * token for each merge in the order found, so that a smaller vocabulary is a prefix of a larger one.
 */
export function trainedJson(cut: CutOptions, merges: readonly (readonly [string, string])[]): TokenizerJson {
  const vocab: Record<string, number> = {};
  let next = 0;
  for (const token of Object.values(SPECIAL_TOKENS)) vocab[token] = next++;
  for (const symbol of byteSymbols()) vocab[symbol] = next++;
  for (const [left, right] of merges) if (!Object.hasOwn(vocab, left + right)) vocab[left + right] = next++;
  return assemble(
    cut,
    vocab,
    merges.map(([left, right]) => [left, right]),
    false,
  );
}

function assemble(
  cut: CutOptions,
  vocab: Record<string, number>,
  merges: [string, string][],
  training: boolean,
): TokenizerJson {
  const special = training ? [] : Object.values(SPECIAL_TOKENS);
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: normalizerOf(cut, training),
    pre_tokenizer: preTokenizerOf(cut),
    post_processor: training ? null : eosTemplate(),
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  };
}

/** Appends the end-of-sequence token, for other readers of the file; this room appends it by id. */
function eosTemplate(): unknown {
  const eos = SPECIAL_TOKENS.eos;
  const text = (id: string, type: number): unknown => ({ Sequence: { id, type_id: type } });
  const end = (type: number): unknown => ({ SpecialToken: { id: eos, type_id: type } });
  return {
    type: "TemplateProcessing",
    single: [text("A", 0), end(0)],
    pair: [text("A", 0), end(0), text("B", 1), end(1)],
    special_tokens: { [eos]: { id: eos, ids: [1], tokens: [eos] } },
  };
}

/**
 * The character that byte-level BPE writes for each byte 0 .. 255 (GPT-2's table): printable Latin-1 stands for itself,
 * the other 68 bytes for U+0100 onwards.
 */
export function byteSymbols(): string[] {
  const symbols: string[] = [];
  let shifted = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    symbols.push(String.fromCodePoint(printable ? byte : shifted++));
  }
  return symbols;
}
