import { ProgressMeter, sha256, type ProgressEvent } from "../base/index.js";
import { TokenStore } from "./token-store.js";
import type { PretrainTokenizer, TrainingPair } from "./types.js";

/** Code side of a positive: the whole function, only its body (hard positive), or the body with probability `mixed`. */
export type Positives = "full" | "hard" | { readonly mixed: number };

/** Tokenised pairs, in typed arrays. */
export interface PairTokens {
  readonly count: number;
  readonly summaries: TokenStore;
  readonly codes: TokenStore;
  /** Only filled where hard positives are asked for; where a body has no token of its own, the code stands here. */
  readonly bodies: TokenStore;
  /** Three per pair: numbers of its summary and its code sides; equal text has equal numbers. */
  readonly keys: Float64Array;
  /** Longest sides. */
  readonly textLength: number;
  readonly codeLength: number;
  /** Pairs dropped because the code side holds the summary word for word. */
  readonly leaking: number;
  /** Pairs whose body had no token. */
  readonly withoutBody: number;
}

/** @see tokenisePairs */
export interface PairTokenOptions {
  readonly tokenizer: PretrainTokenizer;
  /** Longest text side, end-of-sequence token included. */
  readonly textLength: number;
  /** Longest code side, end-of-sequence token included. */
  readonly codeLength: number;
  readonly positives: Positives;
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
  const { tokenizer, textLength, codeLength, positives, signal } = options;
  const summaries = new TokenStore(tokenizer.vocabSize);
  const codes = new TokenStore(tokenizer.vocabSize);
  const bodies = new TokenStore(tokenizer.vocabSize);
  const keys: number[] = [];
  let withoutBody = 0;
  const add = async (chunk: readonly TrainingPair[]): Promise<void> => {
    const texts = await tokenizer.encodeBatchForModel(
      chunk.map(({ summary }) => summary),
      textLength,
    );
    const whole = await tokenizer.encodeBatchForModel(
      chunk.map(({ code }) => code),
      codeLength,
    );
    const hard =
      positives === "full"
        ? []
        : await tokenizer.encodeBatchForModel(
            chunk.map(({ body }) => body),
            codeLength,
          );
    chunk.forEach(({ summary, code, body }, i) => {
      summaries.push(texts[i]!);
      codes.push(whole[i]!);
      const bare = hard[i]?.length === 1;
      if (hard[i] !== undefined) bodies.push(bare ? whole[i]! : hard[i]);
      if (bare) withoutBody += 1;
      // Odd and even numbers keep summaries and code sides apart. A body that is never shown is no duplicate.
      keys.push(
        2 * textKey(summary),
        2 * textKey(code) + 1,
        2 * textKey(hard[i] === undefined || bare ? code : body) + 1,
      );
    });
  };

  const progress: ProgressEvent[] = [];
  const meter = new ProgressMeter("pairs", "pairs", undefined, (event) => progress.push(event));
  let read = 0;
  let leaking = 0;
  let chunk: TrainingPair[] = [];
  for await (const pair of pairs) {
    signal?.throwIfAborted();
    read += 1;
    if (givesAway(pair.code, pair.summary)) leaking += 1;
    else chunk.push(pair);
    if (chunk.length < CHUNK) continue;
    await add(chunk);
    chunk = [];
    meter.update(read);
    yield* progress.splice(0);
  }
  if (chunk.length > 0) await add(chunk);
  meter.update(read, undefined, read);
  yield* progress.splice(0);
  return {
    count: codes.length,
    summaries,
    codes,
    bodies,
    keys: Float64Array.from(keys),
    textLength,
    codeLength,
    leaking,
    withoutBody,
  };
}

/** 48 bits of a hash over the text with white space collapsed and case ignored. */
function textKey(text: string): number {
  return Number.parseInt(sha256(text.trim().replace(/\s+/g, " ").toLowerCase()).slice(0, 12), 16);
}

/** Whether the code holds the summary word for word, across line breaks and comment marks; short ones prove nothing. */
export function givesAway(code: string, summary: string): boolean {
  const flat = (text: string): string => text.replace(/[\s*#/]+/g, " ").trim();
  const needle = flat(summary);
  return needle.split(" ").length >= 4 && flat(code).includes(needle);
}
