import { int32, tensor, UserError, type Rng, type Tensor } from "../base/index.js";
import { Latest } from "./order.js";
import { planEpoch, type EpochPlan } from "./pair-plan.js";
import type { PairTokens, Positives } from "./pair-tokens.js";
import type { BatchSource, PreparedBatch, PretrainTokenizer } from "./types.js";

/** What stage 2's batches depend on. */
export interface Stage2BatchOptions {
  readonly pairs: PairTokens;
  readonly tokenizer: Pick<PretrainTokenizer, "padId">;
  readonly positives: Positives;
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

/** Stage 2's batches: every pair once an epoch, no summary and no code twice in a batch. */
export class Stage2Batches implements BatchSource<Stage2Position> {
  readonly start: Stage2Position = { epoch: 0, index: 0 };
  private readonly plans: Latest<EpochPlan>;

  /** @throws UserError `corpus.too-small` where the pairs do not fill one batch */
  constructor(private readonly options: Stage2BatchOptions) {
    const { pairs, batch, pool, positives, rng } = options;
    const described = {
      count: pairs.count,
      length: (pair: number): number => (positives === "hard" ? pairs.bodies : pairs.codes).lengthOf(pair),
      keys: (pair: number): readonly number[] => [...new Set(pairs.keys.subarray(3 * pair, 3 * pair + 3))],
    };
    this.plans = new Latest((epoch) => {
      const plan = planEpoch(described, { batch, pool }, rng, epoch);
      if (plan.batches.length > 0) return plan;
      throw new UserError(
        pairs.count === 0 ? "corpus.empty" : "corpus.too-small",
        `stage 2: expected at least ${batch} pairs without duplicates, got ${pairs.count} pairs that do not fill a batch`,
        { fix: "Use a smaller batch or a larger corpus" },
      );
    });
    this.plans.get(0);
  }

  /** Batches of the first epoch; other epochs have about as many. */
  get batchesPerEpoch(): number {
    return this.plans.get(0).batches.length;
  }

  async prepare(position: Stage2Position): Promise<PreparedBatch<Stage2Position>> {
    const { batches } = this.plans.get(position.epoch);
    const batch = batches[position.index]!;
    const { pairs } = this.options;
    const texts = this.pad(
      Array.from(batch, (pair) => pairs.summaries.get(pair)),
      pairs.textLength,
    );
    const codes = this.pad(
      Array.from(batch, (pair) => this.codeSide(position.epoch, pair)),
      pairs.codeLength,
    );
    const last = position.index + 1 === batches.length;
    return {
      tensors: {
        text_ids: texts.ids,
        text_segments: texts.segments,
        code_ids: codes.ids,
        code_segments: codes.segments,
        row_ids: int32(
          [batch.length],
          Int32Array.from(batch, (_, row) => row),
        ),
      },
      stats: {
        tokens: texts.tokens + codes.tokens,
        padding: texts.ids.data.length + codes.ids.data.length - texts.tokens - codes.tokens,
        text_length: texts.ids.dims[1]!,
        code_length: codes.ids.dims[1]!,
      },
      next: last ? { epoch: position.epoch + 1, index: 0 } : { epoch: position.epoch, index: position.index + 1 },
    };
  }

  private codeSide(epoch: number, pair: number): Uint16Array | Int32Array {
    const { pairs, positives, rng } = this.options;
    if (positives === "full") return pairs.codes.get(pair);
    if (positives === "hard") return pairs.bodies.get(pair);
    const hard = rng.split("positive", epoch, pair).uniform() < positives.mixed;
    return (hard ? pairs.bodies : pairs.codes).get(pair);
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
