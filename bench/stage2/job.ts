import { int32, Rng, type Tensor } from "../../src/base/index.js";
import { sizeWith, type ModelConfig } from "../../src/model/index.js";
import { PAPER_CONTRASTIVE } from "../../src/pretrain/index.js";
import { stage2Steps } from "../../src/pretrain/step.js";
import { LEARNING_RATE, UPDATE, type Job } from "../engines/sides.js";

export const TEXT_LENGTH = 64;
export const CODE_LENGTH = 128;
export const MODEL: ModelConfig = sizeWith("tiny", { dropout: 0.1 });

/** Rows of random tokens, every one as long as the side: no contender gains by how it treats padding. */
export function randomIds(pairs: number, length: number, name: string): number[] {
  const rng = Rng.fromSeed(2).split(name);
  return Array.from({ length: pairs * length }, () => 3 + Math.floor((MODEL.vocabSize - 3) * rng.uniform() ** 3));
}

/** What `stage2_sentence_transformers.py` is given: the same sizes and rows. */
export function peerJob(pairs: number, threads: number): Readonly<Record<string, unknown>> {
  const { vocabSize, width, layers, heads, maxLength, dropout } = MODEL;
  return {
    ...{ vocabSize, width, layers, heads, maxLength, dropout, threads, seed: 1, learningRate: LEARNING_RATE },
    ...{ textLength: TEXT_LENGTH, codeLength: CODE_LENGTH },
    ...{ text: randomIds(pairs, TEXT_LENGTH, "text"), code: randomIds(pairs, CODE_LENGTH, "code") },
  };
}

/** A step of stage 2 of `tiny` on so many pairs, `chunk` at a time (null: all at once). */
export function stage2Job(pairs: number, chunk: number | null, threads: number): Job {
  const side = (name: "text" | "code", length: number): Record<string, Tensor> => ({
    [`${name}_ids`]: int32([pairs, length], randomIds(pairs, length, name)),
    [`${name}_segments`]: int32([pairs, length], new Int32Array(pairs * length).fill(1)),
  });
  const rows = Int32Array.from({ length: pairs }, (_, row) => row);
  return {
    config: MODEL,
    stage: "stage2",
    step: stage2Steps(MODEL, PAPER_CONTRASTIVE, UPDATE, chunk),
    batch: { ...side("text", TEXT_LENGTH), ...side("code", CODE_LENGTH), row_ids: int32([pairs], rows) },
    threads,
  };
}
