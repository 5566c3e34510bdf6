import { int32, LANGUAGES, tensor, UserError, type Rng, type Tensor } from "../base/index.js";
import { Latest } from "./order.js";
import { planEpoch, type BatchKind, type PlannedBatch, type PlannedPairs } from "./pair-plan.js";
import type { PairTokens, Positives, TextSide } from "./pair-tokens.js";
import { itemsByLanguage, type EpochItems } from "./pairs/items.js";
import { negativeItems, type Negatives } from "./pairs/negatives.js";
import type { TeacherRows } from "./pairs/teacher.js";
import { VIEWS, viewsOf, type TextKind } from "./pairs/views.js";
import type { TokenStore } from "./token-store.js";
import type { BatchSource, PreparedBatch, PretrainTokenizer } from "./types.js";

/** What stage 2's batches depend on. */
export interface Stage2BatchOptions {
  readonly pairs: PairTokens;
  readonly tokenizer: Pick<PretrainTokenizer, "padId">;
  readonly positives: Positives;
  /** `summary` if not given. */
  readonly text?: TextSide;
  /** `mixed` if not given. */
  readonly batches?: BatchKind;
  /** Languages are drawn in proportion to count^(1 / this); 1 if not given. */
  readonly languageTemperature?: number;
  /** Hard negatives of each pair that come into its batch with it, where they can. */
  readonly negatives?: Negatives;
  /** Gives `teacher_text` and `teacher_code`. */
  readonly teacher?: TeacherRows;
  /** Pairs of a batch. */
  readonly batch: number;
  /** Batches sorted by length together. */
  readonly pool: number;
  /** Batches are padded to a multiple of this, so that there are few different shapes. */
  readonly lengthMultiple: number;
  readonly rng: Rng;
}

/** Batch `index` of epoch `epoch`'s plan. */
export type Stage2Position = { readonly epoch: number; readonly index: number };

interface Epoch extends EpochItems {
  /** Numbers of views. */
  readonly views: Uint8Array;
  readonly batches: readonly PlannedBatch[];
}

/** Stage 2's batches: every pair about once an epoch, no text, no code and no pair twice in a batch. */
export class Stage2Batches implements BatchSource<Stage2Position> {
  readonly start: Stage2Position = { epoch: 0, index: 0 };
  private readonly epochs: Latest<Epoch>;

  /** @throws UserError `corpus.too-small` where the pairs do not fill one batch, `corpus.empty` */
  constructor(private readonly options: Stage2BatchOptions) {
    const { pairs, batch, positives, text = "summary", languageTemperature = 1, rng } = options;
    const itemsOf = itemsByLanguage(pairs.languages, languageTemperature, rng);
    const viewOf = viewsOf(pairs, { positives, text }, rng);
    this.epochs = new Latest((number) => {
      const epoch = this.plan(itemsOf(number), viewOf, number);
      if (epoch.batches.length > 0) return epoch;
      throw new UserError(
        pairs.count === 0 ? "corpus.empty" : "corpus.too-small",
        `stage 2: expected at least ${batch} pairs without duplicates${options.batches === "same-language" ? " of one language" : ""}, got ${pairs.count} pairs that do not fill a batch`,
        { fix: "Use a smaller batch or a larger corpus" },
      );
    });
    this.epochs.get(0);
  }

  /** Batches of the first epoch; other epochs have about as many. */
  get batchesPerEpoch(): number {
    return this.epochs.get(0).batches.length;
  }

  /** Pairs of languages that fill no batch of their own in the first epoch, where batches are of one language. */
  get leftOut(): Readonly<Record<string, number>> {
    const { pairs, batches } = this.options;
    if (batches !== "same-language") return {};
    const epoch = this.epochs.get(0);
    const used = new Set(epoch.batches.map(({ items }) => pairs.languages[epoch.pairs[items[0]!]!]!));
    const left: Record<string, number> = {};
    for (const language of pairs.languages) {
      if (used.has(language)) continue;
      const name = LANGUAGES[language] ?? "unknown";
      left[name] = (left[name] ?? 0) + 1;
    }
    return left;
  }

  async prepare(position: Stage2Position): Promise<PreparedBatch<Stage2Position>> {
    const epoch = this.epochs.get(position.epoch);
    const { items, deferred, mined } = epoch.batches[position.index]!;
    const { pairs } = this.options;
    const shown = Array.from(items, (item) => ({ pair: epoch.pairs[item]!, view: VIEWS[epoch.views[item]!]! }));
    const texts = this.pad(
      shown.map(({ pair, view }) => storeOf(pairs, view.text).get(pair)),
      pairs.textLength,
    );
    const codes = this.pad(
      shown.map(({ pair, view }) => (view.body ? pairs.bodies : pairs.codes).get(pair)),
      pairs.codeLength,
    );
    const last = position.index + 1 === epoch.batches.length;
    return {
      tensors: {
        text_ids: texts.ids,
        text_segments: texts.segments,
        code_ids: codes.ids,
        code_segments: codes.segments,
        row_ids: int32(
          [items.length],
          Int32Array.from(items, (_, row) => row),
        ),
        ...this.teacherVectors(shown.map(({ pair }) => pairs.numbers[pair]!)),
      },
      stats: {
        tokens: texts.tokens + codes.tokens,
        padding: texts.ids.data.length + codes.ids.data.length - texts.tokens - codes.tokens,
        text_length: texts.ids.dims[1]!,
        code_length: codes.ids.dims[1]!,
        bodies: shown.filter(({ view }) => view.body).length,
        docstrings: shown.filter(({ view }) => view.text === "docstring").length,
        names: shown.filter(({ view }) => view.text === "name").length,
        languages: new Set(shown.map(({ pair }) => pairs.languages[pair]!)).size,
        deferred,
        ...(this.options.negatives === undefined ? {} : { mined }),
      },
      next: last ? { epoch: position.epoch + 1, index: 0 } : { epoch: position.epoch, index: position.index + 1 },
    };
  }

  private teacherVectors(numbers: readonly number[]): Record<string, Tensor> {
    const { teacher } = this.options;
    if (teacher === undefined) return {};
    const { texts, codes } = teacher.read(numbers);
    const dims = [numbers.length, teacher.dim];
    return { teacher_text: tensor("float32", dims, texts), teacher_code: tensor("float32", dims, codes) };
  }

  private plan(items: EpochItems, viewOf: (pair: number, pass: number) => number, epoch: number): Epoch {
    const { pairs, batch, pool, batches = "mixed", negatives, rng } = this.options;
    const views = Uint8Array.from(items.pairs, (pair, i) => viewOf(pair, items.passes[i]!));
    const { keys } = pairs;
    const described: PlannedPairs = {
      count: items.pairs.length,
      length: (item) => {
        const store = VIEWS[views[item]!]!.body ? pairs.bodies : pairs.codes;
        return store.lengthOf(items.pairs[item]!);
      },
      keys: (item) => {
        const pair = items.pairs[item]!;
        const { text } = VIEWS[views[item]!]!;
        const own = [keys.id[pair]!, keys.summary[pair]!, keys.code[pair]!];
        if (pairs.bodies.length > 0) own.push(keys.body[pair]!);
        if (text !== "summary") own.push(keys[text][pair]!);
        return own;
      },
      language: (item) => pairs.languages[items.pairs[item]!]!,
      ...(negatives === undefined ? {} : { negatives: negativeItems(negatives, items) }),
    };
    const shape = { batch, pool, batches, negatives: negatives?.perPair ?? 0 };
    return { ...items, views, batches: planEpoch(described, shape, rng, epoch).batches };
  }

  /** Rows padded to the longest, rounded up but not above `limit`; segment 1 is real, 0 padding. */
  private pad(
    rows: readonly (Uint16Array | Int32Array)[],
    limit: number,
  ): { ids: Tensor; segments: Tensor; tokens: number } {
    const { lengthMultiple, tokenizer } = this.options;
    const longest = rows.reduce((most, row) => Math.max(most, row.length), 1);
    const length = Math.min(limit, Math.ceil(longest / lengthMultiple) * lengthMultiple);
    const ids = new Int32Array(rows.length * length).fill(tokenizer.padId);
    const segments = new Int32Array(rows.length * length);
    let tokens = 0;
    rows.forEach((row, at) => {
      ids.set(row, at * length);
      segments.fill(1, at * length, at * length + row.length);
      tokens += row.length;
    });
    const dims = [rows.length, length];
    return { ids: tensor("int32", dims, ids), segments: tensor("int32", dims, segments), tokens };
  }
}

function storeOf(pairs: PairTokens, text: TextKind): TokenStore {
  return text === "summary" ? pairs.summaries : text === "docstring" ? pairs.docstrings : pairs.names;
}
