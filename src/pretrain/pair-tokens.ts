import { LANGUAGES, ProgressMeter, sha256, type Language, type ProgressEvent } from "../base/index.js";
import { docstringQuery, givesAway, nameQuery, saysName } from "./pairs/texts.js";
import { TokenStore } from "./token-store.js";
import type { PretrainTokenizer, TrainingPair } from "./types.js";

/** Code side of a positive: the whole function, only its body (hard positive), or the body with probability `mixed`. */
export type Positives = "full" | "hard" | { readonly mixed: number };

/**
 * Text side of a pair: its summary; or with probability `docstring` its whole documentation, and with probability `name`
 * the words of its function's name, which are asked of the body alone.
 */
export type TextSide = "summary" | { readonly docstring?: number | undefined; readonly name?: number | undefined };

/** Tokenised pairs, in typed arrays. */
export interface PairTokens {
  readonly count: number;
  readonly summaries: TokenStore;
  readonly codes: TokenStore;
  /** Only filled where bodies are shown; where a body has no token of its own, the code stands here. */
  readonly bodies: TokenStore;
  /** Only filled where they are shown; empty for a pair that has none. */
  readonly docstrings: TokenStore;
  readonly names: TokenStore;
  /** A number of each pair's id (of its place in the order, where pairs have no ids): what is drawn of it hangs on it. */
  readonly ids: Float64Array;
  /** Place of each in the order in which pairs are read, those that are left out counted. */
  readonly numbers: Uint32Array;
  /** Numbers of texts and code sides, `bodies`, `docstrings` and `names` as above; equal texts have equal numbers. */
  readonly keys: Readonly<Record<KeyName, Float64Array>>;
  /** Index into `LANGUAGES` of each pair; their number where it is not known. */
  readonly languages: Uint8Array;
  /** Longest sides. */
  readonly textLength: number;
  readonly codeLength: number;
  /** Pairs that were left out, or that lack what could be shown of them, by reason. */
  readonly counts: PairCounts;
}

export type KeyName = "id" | "summary" | "code" | "body" | "docstring" | "name";

/** @see PairTokens.counts */
export interface PairCounts {
  /** Left out because the code side holds the summary word for word. */
  leaking: number;
  /** Left out because the summary or the code has no token. */
  empty: number;
  /** Bodies without a token: the whole function is shown instead. */
  withoutBody: number;
  /** Pairs that never show a docstring: it says no more than the summary. */
  withoutDocstring: number;
  /** Pairs that never show a name: it has one word only, or the body says it, or an earlier pair asks for it. */
  withoutName: number;
}

/** @see tokenisePairs */
export interface PairTokenOptions {
  readonly tokenizer: PretrainTokenizer;
  /** Longest text side, end-of-sequence token included. */
  readonly textLength: number;
  /** Longest code side, end-of-sequence token included. */
  readonly codeLength: number;
  readonly positives: Positives;
  /** `summary` if not given. */
  readonly text?: TextSide;
  /** Only pairs of these; all if not given. */
  readonly languages?: readonly Language[];
  readonly signal?: AbortSignal;
}

/** Pairs that are tokenised together. */
const CHUNK = 256;

/**
 * Reads and tokenises pairs, reporting how many are read. The end-of-sequence token closes every side; a longer one is
 * cut before it.
 *
 * The corpus keeps docstrings out of code sides; a pair where the summary stands in the code all the same (a comment
 * that repeats it) gives itself away and is dropped and counted.
 *
 * @throws the signal's reason where it is aborted
 */
export async function* tokenisePairs(
  pairs: AsyncIterable<TrainingPair>,
  options: PairTokenOptions,
): AsyncGenerator<ProgressEvent, PairTokens> {
  const { signal } = options;
  const store = new PairStore(options);
  const progress: ProgressEvent[] = [];
  const meter = new ProgressMeter("pairs", "pairs", undefined, (event) => progress.push(event));
  const wanted = options.languages === undefined ? undefined : new Set<Language | undefined>(options.languages);
  let read = 0;
  let chunk: NumberedPair[] = [];
  for await (const pair of pairs) {
    signal?.throwIfAborted();
    const number = read++;
    if (wanted?.has(pair.lang) === false) continue;
    if (givesAway(pair.code, pair.summary)) store.counts.leaking += 1;
    else chunk.push({ ...pair, number });
    if (chunk.length < CHUNK) continue;
    await store.add(chunk);
    chunk = [];
    meter.update(read);
    yield* progress.splice(0);
  }
  if (chunk.length > 0) await store.add(chunk);
  meter.update(read, undefined, read);
  yield* progress.splice(0);
  return store.finish();
}

/** A pair and its place in the order in which pairs are read. */
type NumberedPair = TrainingPair & { readonly number: number };

class PairStore {
  readonly counts: PairCounts = { leaking: 0, empty: 0, withoutBody: 0, withoutDocstring: 0, withoutName: 0 };
  private readonly stores: Record<"summaries" | "codes" | "bodies" | "docstrings" | "names", TokenStore>;
  private readonly keys: Record<KeyName, number[]> = {
    id: [],
    summary: [],
    code: [],
    body: [],
    docstring: [],
    name: [],
  };
  private readonly ids: number[] = [];
  private readonly numbers: number[] = [];
  private readonly languages: number[] = [];
  private readonly nameKeys = new Set<number>();
  private readonly shows: { readonly body: boolean; readonly docstring: boolean; readonly name: boolean };

  constructor(private readonly options: PairTokenOptions) {
    const { positives, text = "summary", tokenizer } = options;
    const shares = typeof text === "object" ? text : {};
    const name = (shares.name ?? 0) > 0;
    this.shows = { body: positives !== "full" || name, docstring: (shares.docstring ?? 0) > 0, name };
    const store = (): TokenStore => new TokenStore(tokenizer.vocabSize);
    this.stores = { summaries: store(), codes: store(), bodies: store(), docstrings: store(), names: store() };
  }

  async add(chunk: readonly NumberedPair[]): Promise<void> {
    const { tokenizer, textLength, codeLength } = this.options;
    const { stores, keys, shows, counts } = this;
    const encode = (texts: readonly string[], length: number): Promise<Int32Array[]> =>
      tokenizer.encodeBatchForModel(texts, length);
    const summaries = await encode(
      chunk.map(({ summary }) => summary),
      textLength,
    );
    const codes = await encode(
      chunk.map(({ code }) => code),
      codeLength,
    );
    const bodies = shows.body
      ? await encode(
          chunk.map(({ body }) => body),
          codeLength,
        )
      : [];
    const docstrings = shows.docstring ? chunk.map(docstringQuery) : [];
    const docstringIds = await encodeSome(docstrings, (texts) => encode(texts, textLength));
    const names = chunk.map((pair, i) =>
      shows.name && pair.name !== undefined && !isBare(bodies[i]!) && !saysName(pair.body, pair.name)
        ? nameQuery(pair.name)
        : undefined,
    );
    const nameIds = await encodeSome(names, (texts) => encode(texts, textLength));
    chunk.forEach(({ id, lang, summary, code, body, number }, i) => {
      if (isBare(summaries[i]!) || isBare(codes[i]!)) {
        counts.empty += 1;
        return;
      }
      const bare = shows.body && isBare(bodies[i]!);
      if (bare) counts.withoutBody += 1;
      const named = this.firstOfName(names[i]);
      if (shows.docstring && docstringIds[i] === undefined) counts.withoutDocstring += 1;
      if (shows.name && named === undefined) counts.withoutName += 1;
      stores.summaries.push(summaries[i]!);
      stores.codes.push(codes[i]!);
      if (shows.body) stores.bodies.push(bare ? codes[i]! : bodies[i]!);
      if (shows.docstring) stores.docstrings.push(docstringIds[i] ?? NOTHING);
      if (shows.name) stores.names.push(named === undefined ? NOTHING : nameIds[i]!);
      const own = id === undefined ? number : idNumber(id);
      this.ids.push(own);
      this.numbers.push(number);
      this.languages.push(lang === undefined ? LANGUAGES.length : LANGUAGES.indexOf(lang));
      // Remainders keep texts, code sides and ids apart.
      keys.id.push(3 * own + 2);
      keys.summary.push(3 * textKey(summary));
      keys.code.push(3 * textKey(code) + 1);
      if (shows.body) keys.body.push(3 * textKey(bare ? code : body) + 1);
      if (shows.docstring) keys.docstring.push(3 * textKey(docstrings[i] ?? summary));
      if (shows.name) keys.name.push(3 * textKey(named ?? summary));
    });
  }

  finish(): PairTokens {
    const { textLength, codeLength } = this.options;
    const keys = Object.entries(this.keys).map(([name, values]) => [name, Float64Array.from(values)] as const);
    return {
      count: this.ids.length,
      ...this.stores,
      ids: Float64Array.from(this.ids),
      numbers: Uint32Array.from(this.numbers),
      keys: Object.fromEntries(keys) as Record<KeyName, Float64Array>,
      languages: Uint8Array.from(this.languages),
      textLength,
      codeLength,
      counts: this.counts,
    };
  }

  /** The query, for the first pair that has it: what many functions are called asks for none of them. */
  private firstOfName(query: string | undefined): string | undefined {
    if (query === undefined) return undefined;
    const key = textKey(query);
    if (this.nameKeys.has(key)) return undefined;
    this.nameKeys.add(key);
    return query;
  }
}

const NOTHING = new Int32Array(0);

/** Nothing but the end-of-sequence token. */
function isBare(ids: Int32Array): boolean {
  return ids.length <= 1;
}

/** Encodes the texts that are there. */
async function encodeSome(
  texts: readonly (string | undefined)[],
  encode: (texts: readonly string[]) => Promise<Int32Array[]>,
): Promise<(Int32Array | undefined)[]> {
  const there = texts.filter((text) => text !== undefined);
  const encoded = there.length === 0 ? [] : await encode(there);
  let next = 0;
  return texts.map((text) => (text === undefined ? undefined : encoded[next++]!));
}

/** 48 bits of a hash over the text with white space collapsed and case ignored. */
function textKey(text: string): number {
  return hash48(text.trim().replace(/\s+/g, " ").toLowerCase());
}

/** The number of a pair's id in {@link PairTokens.ids}. */
export function idNumber(id: string): number {
  return hash48(id);
}

function hash48(text: string): number {
  return Number.parseInt(sha256(text).slice(0, 12), 16);
}
