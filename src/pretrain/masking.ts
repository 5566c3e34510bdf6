import type { Rng } from "../base/index.js";

/** A number, or one drawn per example, uniform on `[a, b]`. */
export type Rate = number | { readonly uniform: readonly [number, number] };

/** Tokens after masking; all arrays have the length of the document. */
export interface MaskedTokens {
  /** What the encoder sees. */
  readonly input: Int32Array;
  /** The original token where one is to be predicted, {@link UNMASKED} elsewhere. */
  readonly labels: Int32Array;
  /** How many labels there are. */
  readonly count: number;
}

/** The label of a position that is not predicted. */
export const UNMASKED = -1;

/** Which tokens masking may put in and must leave alone. */
export interface MaskVocabulary {
  readonly maskId: number;
  /** Tokens that are never picked and never put in as a random replacement. */
  readonly special: ReadonlySet<number>;
  /** Ids are below this. */
  readonly vocabSize: number;
}

/** @see maskRandom */
export interface RandomMasking {
  /** Share of tokens that is picked; the paper's is 0.15. */
  readonly rate: Rate;
  /** `full`: every picked token becomes the mask token (paper). `80-10-10`: BERT's mask, random token, unchanged. */
  readonly replacement: "full" | "80-10-10";
}

/** The rate of one example. */
export function drawRate(rate: Rate, rng: Rng): number {
  if (typeof rate === "number") return rate;
  const [low, high] = rate.uniform;
  return low + (high - low) * rng.uniform();
}

/** An integer whose expectation is `x`: 2.25 becomes 3 one time in four. Short documents so get their fair share. */
export function roundRandomly(x: number, rng: Rng): number {
  return Math.floor(x + rng.uniform());
}

/**
 * Random masking (R in the paper): `rate` of the tokens that are not special are picked without replacement, so that
 * the share hardly varies between examples.
 *
 * @example
 * maskRandom(Int32Array.of(7, 8, 9, 1), { rate: 1, replacement: "full" }, { maskId: 2, special: new Set([0, 1, 2]), ... }, rng)
 * // input [2, 2, 2, 1], labels [7, 8, 9, -1]
 */
export function maskRandom(
  ids: Int32Array,
  options: RandomMasking,
  vocabulary: MaskVocabulary,
  rng: Rng,
): MaskedTokens {
  const input = ids.slice();
  const labels = new Int32Array(ids.length).fill(UNMASKED);
  const eligible: number[] = [];
  for (let i = 0; i < ids.length; i++) if (!vocabulary.special.has(ids[i]!)) eligible.push(i);
  const count = Math.min(eligible.length, roundRandomly(drawRate(options.rate, rng) * eligible.length, rng));
  for (let picked = 0; picked < count; picked++) {
    // The first `count` places of a Fisher-Yates shuffle.
    const other = picked + rng.int(eligible.length - picked);
    const at = eligible[other]!;
    eligible[other] = eligible[picked]!;
    labels[at] = ids[at]!;
    input[at] = options.replacement === "full" ? vocabulary.maskId : replace(ids[at]!, vocabulary, rng);
  }
  return { input, labels, count };
}

function replace(id: number, vocabulary: MaskVocabulary, rng: Rng): number {
  const choice = rng.uniform();
  if (choice < 0.8) return vocabulary.maskId;
  if (choice >= 0.9) return id;
  for (;;) {
    const random = rng.int(vocabulary.vocabSize);
    if (!vocabulary.special.has(random)) return random;
  }
}
