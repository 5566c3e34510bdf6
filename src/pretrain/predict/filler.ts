import { int32, Rng, tensor, UserError } from "../../base/index.js";
import type { ModelConfig } from "../../model/index.js";
import { requireLength, startingWeights, type EngineSettings, type TrainEngine, type Weights } from "../run.js";
import { predictProgram } from "../programs/index.js";
import type { DecodingTokenizer, TrainSession } from "../types.js";
import { findMasks, tokeniseHoles, type Hole } from "./pieces.js";

/** What fills masks: a model with its masked-token head. */
export interface FillerParts {
  readonly config: ModelConfig;
  /** Under GPT-2's names; the head is tied to `wte.weight`. */
  readonly weights: Weights;
  readonly tokenizer: DecodingTokenizer;
}

/** One guess for a hole. */
export interface Guess {
  readonly text: string;
  /** For one mask its probability; for a name the geometric mean over its tokens and occurrences. */
  readonly probability: number;
}

/** A mask in a text with what the model would write there, best first. */
export interface FilledMask {
  /** `[start, end)` in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  readonly guesses: readonly Guess[];
}

/** Name of a placeholder in an obfuscated text, with guesses of what it was, best first. */
export interface NamedPlaceholder {
  readonly placeholder: string;
  readonly occurrences: number;
  readonly guesses: readonly Guess[];
}

const PLACES_AT_ONCE = 256;

/** Log probabilities at some places of one sequence: `[M, V]`, row by row. */
type LogProbabilities = (ids: Int32Array, places: readonly number[]) => Promise<Float32Array>;

/**
 * Fills masks with the head that stage 1 trained: masked-token prediction for `<mask>`, deobfuscation (METHOD's D) for
 * placeholders. Made by {@link openFiller}.
 */
export class MaskFiller {
  constructor(
    private readonly parts: FillerParts,
    private readonly session: TrainSession & { close(): Promise<void> },
  ) {}

  /**
   * The likeliest tokens for every mask of a text, all masks hidden at once. A text longer than the model is read in
   * windows around the masks.
   *
   * @param options.mask how a mask is written
   * @param options.top guesses for each
   * @throws UserError `predict.no-mask`
   */
  async fill(text: string, { mask = "<mask>", top = 5 }: { mask?: string; top?: number } = {}): Promise<FilledMask[]> {
    const holes = findMasks(text, mask);
    if (holes.length === 0) {
      throw new UserError("predict.no-mask", `text: expected ${mask} somewhere, got none`, {
        fix: `Write ${mask} where the model shall guess`,
      });
    }
    const { ids, places } = await tokeniseHoles(text, holes, this.parts.tokenizer, () => 1);
    const { vocabSize } = this.parts.config;
    const filled: FilledMask[] = [];
    // Some at a time: a row of probabilities is as long as the vocabulary.
    for (let from = 0; from < holes.length; from += PLACES_AT_ONCE) {
      const rows = await this.logProbabilities(ids, places.slice(from, from + PLACES_AT_ONCE));
      for (let i = 0; i * vocabSize < rows.length; i++) {
        const row = rows.subarray(i * vocabSize, (i + 1) * vocabSize);
        const guesses = this.best(row, top).map(async (id) => ({
          text: await this.parts.tokenizer.decode([id]),
          probability: Math.exp(row[id]!),
        }));
        const { start, end } = holes[from + i]!;
        filled.push({ start, end, guesses: await Promise.all(guesses) });
      }
    }
    return filled;
  }

  /**
   * Guesses the names behind placeholders. The one that occurs most often comes first, with all its occurrences masked
   * together and scored together; what is settled stands in the text for the next. Lengths from 1 to `maxTokens` tokens
   * are tried and compared by the mean log probability of a token.
   *
   * @param holes the placeholders' occurrences, in order
   * @param options.onName called as each name is settled
   */
  async names(
    text: string,
    holes: readonly Hole[],
    options: {
      readonly top?: number;
      readonly maxTokens?: number;
      readonly signal?: AbortSignal;
      readonly onName?: (done: number, total: number) => void;
    } = {},
  ): Promise<NamedPlaceholder[]> {
    const { top = 5, maxTokens = 4, signal, onName } = options;
    const counts = new Map<string, number>();
    for (const { name } of holes) counts.set(name, (counts.get(name) ?? 0) + 1);
    const order = [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name);
    const known = new Map<string, string>();
    const found = new Map<string, readonly Guess[]>();
    for (const name of order) {
      signal?.throwIfAborted();
      const guesses: Guess[] = [];
      for (let masks = 1; masks <= maxTokens; masks++) {
        guesses.push(...(await this.namesOfLength(text, holes, name, masks, known, top)));
      }
      const best = distinct(guesses.sort((a, b) => b.probability - a.probability)).slice(0, top);
      found.set(name, best);
      if (best[0] !== undefined) known.set(name, best[0].text);
      onName?.(found.size, order.length);
    }
    return [...counts].map(([placeholder, occurrences]) => ({
      placeholder,
      occurrences,
      guesses: found.get(placeholder)!,
    }));
  }

  /** Ends the engine's session. */
  close(): Promise<void> {
    return this.session.close();
  }

  private async namesOfLength(
    text: string,
    holes: readonly Hole[],
    name: string,
    masks: number,
    known: ReadonlyMap<string, string>,
    top: number,
  ): Promise<Guess[]> {
    const { tokenizer, config } = this.parts;
    const count = (hole: Hole): number => (hole.name === name ? masks : 1);
    const { ids, places } = await tokeniseHoles(text, holes, tokenizer, count, known);
    // Evidence from the first occurrences is enough, and bounds the work.
    const own = places.filter((_, i) => holes[i]!.name === name).slice(0, 16);
    const wanted = own.flatMap((place) => Array.from({ length: masks }, (_, k) => place + k));
    const rows = await this.logProbabilities(ids, wanted);
    const sums = Array.from({ length: masks }, () => new Float32Array(config.vocabSize));
    wanted.forEach((_, row) => {
      const sum = sums[row % masks]!;
      for (let id = 0; id < config.vocabSize; id++)
        sum[id] = sum[id]! + rows[row * config.vocabSize + id]! / own.length;
    });
    const sequences = likeliestSequences(
      sums.map((sum) => this.best(sum, top).map((id) => ({ id, score: sum[id]! }))),
      top,
    );
    const guesses = await Promise.all(
      sequences.map(async ({ ids: sequence, score }) => ({
        text: (await tokenizer.decode(sequence)).trim(),
        probability: Math.exp(score / masks),
      })),
    );
    return guesses.filter(({ text: guess }) => /^[\p{L}\p{N}_$]+$/u.test(guess) && !/^\d/.test(guess));
  }

  /** Ids with the largest values, special tokens left out. */
  private best(row: Float32Array, top: number): number[] {
    const { padId, eosId, maskId, vocabSize } = this.parts.tokenizer;
    const kept: number[] = [];
    for (let id = 0; id < Math.min(vocabSize, row.length); id++) {
      if (id === padId || id === eosId || id === maskId) continue;
      if (kept.length === top && row[id]! <= row[kept[top - 1]!]!) continue;
      let at = kept.length;
      while (at > 0 && row[kept[at - 1]!]! < row[id]!) at -= 1;
      kept.splice(at, 0, id);
      if (kept.length > top) kept.pop();
    }
    return kept;
  }

  private logProbabilities: LogProbabilities = async (ids, places) => {
    const { config, tokenizer } = this.parts;
    const out = new Float32Array(places.length * config.vocabSize);
    const room = config.maxLength - 1; // The end-of-sequence token closes every window.
    const pending = new Set(places.keys());
    for (const first of places.keys()) {
      if (!pending.has(first)) continue;
      const start = Math.max(0, Math.min(places[first]! - (room >> 2), ids.length - room));
      const end = Math.min(ids.length, start + room);
      // A place near the window's end waits for a window of its own, unless the text ends there.
      const last = end === ids.length ? end : Math.max(places[first]! + 1, end - (room >> 2));
      const here = [...pending].filter((i) => places[i]! >= places[first]! && places[i]! < last);
      const window = Int32Array.from([...ids.subarray(start, end), tokenizer.eosId]);
      const result = await this.session.run("predict", {
        input_ids: tensor("int32", [1, window.length], window),
        places: int32(
          [here.length],
          Int32Array.from(here, (i) => places[i]! - start),
        ),
      });
      const rows = result["log_probabilities"]!.data as Float32Array; // [here, V]
      here.forEach((i, row) => {
        out.set(rows.subarray(row * config.vocabSize, (row + 1) * config.vocabSize), i * config.vocabSize);
        pending.delete(i);
      });
    }
    return out;
  };
}

/**
 * Opens a model for {@link MaskFiller}.
 *
 * @throws UserError `predict.no-blocks`, `weights.mismatch`, and those of the engine
 */
export async function openFiller(
  parts: FillerParts,
  engine: TrainEngine,
  settings: EngineSettings = {},
): Promise<MaskFiller> {
  requireLength("predict", 2, parts.config);
  if (parts.config.layers === 0) {
    throw new UserError(
      "predict.no-blocks",
      "model: expected Transformer blocks, got a static bag, which sees no context",
      {
        fix: "Give the folder of an encoder with blocks, best one fresh from stage 1",
      },
    );
  }
  const weights = startingWeights(parts.config, parts.weights, Rng.fromSeed(0));
  return new MaskFiller(parts, await engine.open({ predict: predictProgram(parts.config) }, weights, settings));
}

/** The `top` sequences with the largest sums, one choice from each list. */
function likeliestSequences(
  choices: readonly (readonly { readonly id: number; readonly score: number }[])[],
  top: number,
): { ids: number[]; score: number }[] {
  let found: { ids: number[]; score: number }[] = [{ ids: [], score: 0 }];
  for (const list of choices) {
    found = found
      .flatMap(({ ids, score }) => list.map((choice) => ({ ids: [...ids, choice.id], score: score + choice.score })))
      .sort((a, b) => b.score - a.score)
      .slice(0, top);
  }
  return found;
}

function distinct(guesses: readonly Guess[]): Guess[] {
  const seen = new Set<string>();
  return guesses.filter(({ text }) => !seen.has(text) && seen.add(text));
}
