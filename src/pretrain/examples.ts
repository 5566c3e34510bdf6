import type { Language, Rng } from "../base/index.js";
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
import type { Example, Objective } from "./packing.js";
import type { FindIdentifiers, PretrainTokenizer } from "./types.js";

/** What a masked document depends on beside the document. */
export interface ExampleOptions {
  readonly tokenizer: Pick<PretrainTokenizer, "encodeIds" | "vocabSize" | "padId" | "eosId" | "maskId">;
  readonly identifiers: FindIdentifiers;
  readonly masking: RandomMasking;
  /** Share of a document's identifiers that D obfuscates. */
  readonly share: Rate;
  readonly rng: Rng;
  /** Tokens of documents kept between epochs. */
  readonly cacheTokens?: number;
}

/** A document that is to be masked. Plain data. */
export interface ExampleTask {
  readonly epoch: number;
  /** In the corpus's stored order: names the document. */
  readonly number: number;
  readonly wanted: Objective;
  readonly lang: Language;
  readonly text: string;
}

/** A masked document. */
export interface OpenedExample extends Example {
  /** What was drawn; differs from `objective` where a document has no identifiers. */
  readonly wanted: Objective;
}

/**
 * Tokenises and masks documents. What a document looks like depends on the key, the epoch, the document and its objective
 * only: whoever makes it, in whatever order, makes the same.
 */
export class ExampleMaker {
  private readonly vocabulary: MaskVocabulary;
  private readonly plain: WeightedCache<number, Int32Array>;
  private readonly segmented: WeightedCache<number, SegmentedTokens>;

  constructor(private readonly options: ExampleOptions) {
    const { tokenizer, cacheTokens = 2 ** 24 } = options;
    this.vocabulary = {
      maskId: tokenizer.maskId,
      special: new Set([tokenizer.padId, tokenizer.eosId, tokenizer.maskId]),
      vocabSize: tokenizer.vocabSize,
    };
    this.plain = new WeightedCache(cacheTokens, (ids) => ids.length);
    this.segmented = new WeightedCache(cacheTokens / 2, (tokens) => tokens.ids.length);
  }

  /** The masked document, whole, with its end-of-sequence token. A document without tokens gives undefined. */
  async make(task: ExampleTask): Promise<OpenedExample | undefined> {
    const { rng, tokenizer, masking, share } = this.options;
    const { epoch, number, wanted } = task;
    const draw = rng.split("mask", epoch, number);
    const segmented = wanted === "D" ? await this.segment(task) : undefined;
    const deobfuscates = segmented !== undefined && segmented.identifiers > 0;
    const masked = deobfuscates
      ? maskIdentifiers(segmented, share, this.vocabulary, draw)
      : maskRandom(await this.tokens(task), masking, this.vocabulary, draw);
    if (masked.input.length === 0) return undefined;
    return { ...ended(masked, tokenizer.eosId), objective: deobfuscates ? "D" : "R", wanted };
  }

  private tokens({ number, text }: ExampleTask): Promise<Int32Array> {
    return this.plain.get(number, async () => (await this.options.tokenizer.encodeIds([text]))[0]!);
  }

  private segment({ number, text, lang }: ExampleTask): Promise<SegmentedTokens> {
    const { tokenizer, identifiers } = this.options;
    return this.segmented.get(number, async () =>
      segmentTokens(text, await identifiers(text, lang), (pieces) => tokenizer.encodeIds(pieces)),
    );
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
