import { float32, int32, Rng, type Tensor } from "../../src/base/index.js";
import { sizeWith } from "../../src/model/index.js";
import { PAPER_CONTRASTIVE } from "../../src/pretrain/index.js";
import { stage1Steps, stage2Steps } from "../../src/pretrain/step.js";
import { trainStepJob } from "../train-step/ours.js";
import { LEARNING_RATE, UPDATE, type Job } from "./sides.js";

/** What both our engines and the hand-written peer are given. */
export interface Comparison {
  readonly ours: Job;
  readonly script: string;
  readonly peer: Readonly<Record<string, unknown>>;
  readonly settings: Readonly<Record<string, number | string>>;
}

/** Model `tiny` on 16 packed rows of 256 tokens, dropout 0.1, 31% masked: the bench `train-step`. */
export function denoisingJob(threads: number): Comparison {
  const peer = trainStepJob(0.1, threads);
  const { rows, tokens, batch } = peer;
  const config = sizeWith("tiny", { dropout: peer.dropout });
  const masked = batch.masked_index.length;
  const fill = (value: number): number[] => new Array<number>(masked).fill(value);
  const tensors: Record<string, Tensor> = {
    input_ids: int32([rows, tokens], batch.input_ids),
    positions: int32([rows, tokens], batch.positions),
    segments: int32([rows, tokens], batch.segments),
    masked_index: int32([masked], batch.masked_index),
    masked_label: int32([masked], batch.masked_label),
    masked_weight: float32([masked], fill(1 / masked)),
    objective: int32([masked], fill(1)),
    row_ids: rowIds(rows),
  };
  return {
    ours: { config, stage: "stage1", step: stage1Steps(config, UPDATE, null), batch: tensors, threads },
    script: "train_step_pytorch.py",
    peer: { ...peer },
    settings: { model: "tiny", rows, tokens, masked, dropout: peer.dropout },
  };
}

const TEXT_LENGTH = 64;
const CODE_LENGTH = 128;

/**
 * `pairs` pairs of 64-token texts and 128-token code sides, by gradient caching in chunks: the whole batch at once would
 * not fit beside the other contenders. Width and blocks are small so that five contenders fit into the bench's bound.
 */
export function contrastiveJob(threads: number, pairs: number, chunk: number): Comparison {
  const config = sizeWith("nano", { layers: 2, dropout: 0.1 });
  const rng = Rng.fromSeed(2).split("contrastive");
  const side = (length: number): { readonly ids: number[]; readonly segments: number[] } => {
    const ids: number[] = [];
    const segments: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const real = Math.ceil(length * (0.5 + 0.5 * rng.uniform()));
      for (let at = 0; at < length; at++) {
        ids.push(at < real ? 3 + Math.floor((config.vocabSize - 3) * rng.uniform() ** 3) : config.padId);
        segments.push(at < real ? 1 : 0);
      }
    }
    return { ids, segments };
  };
  const [text, code] = [side(TEXT_LENGTH), side(CODE_LENGTH)];
  const tensors: Record<string, Tensor> = {
    text_ids: int32([pairs, TEXT_LENGTH], text.ids),
    text_segments: int32([pairs, TEXT_LENGTH], text.segments),
    code_ids: int32([pairs, CODE_LENGTH], code.ids),
    code_segments: int32([pairs, CODE_LENGTH], code.segments),
    row_ids: rowIds(pairs),
  };
  const { vocabSize, maxLength, width, heads, layers, dropout } = config;
  return {
    ours: {
      ...{ config, stage: "stage2", batch: tensors, threads },
      step: stage2Steps(config, PAPER_CONTRASTIVE, UPDATE, chunk),
    },
    script: "contrastive_pytorch.py",
    peer: {
      ...{ vocabSize, maxLength, width, heads, layers, dropout, pairs, chunk, threads },
      ...{ textLength: TEXT_LENGTH, codeLength: CODE_LENGTH, temperature: PAPER_CONTRASTIVE.temperature },
      ...{ seed: 1, learningRate: LEARNING_RATE },
      batch: { text_ids: text.ids, text_segments: text.segments, code_ids: code.ids, code_segments: code.segments },
    },
    settings: {
      ...{ model: "nano with 2 blocks", pairs, chunk, dropout },
      ...{ "text-tokens": TEXT_LENGTH, "code-tokens": CODE_LENGTH },
    },
  };
}

function rowIds(rows: number): Tensor {
  return int32(
    [rows],
    Array.from({ length: rows }, (_, row) => row),
  );
}
