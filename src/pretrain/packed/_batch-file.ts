import { AtomicFile, sha256File, type Rng } from "../../base/index.js";
import type { Schedule } from "../optimizer/index.js";
import type { BatchSource, Position } from "../types.js";
import { encodeBlock, MAGIC, type UpdateMeta } from "./_block.js";
import type { Packer } from "./_stage1-packer.js";

/** Real tokens of a block: it is decoded at once, so this bounds the reader's memory. */
const BLOCK_TOKENS = 2 ** 19;

/** @see writeBatches */
export interface BatchFileOptions<P extends Position> {
  readonly path: string;
  readonly source: BatchSource<P>;
  readonly packer: Packer;
  readonly from: { readonly step: number; readonly position: P };
  /** Updates of the whole run; none is packed beyond. */
  readonly steps: number;
  /** At most so many updates. */
  readonly updates: number;
  /** Stops after the update that reaches so many real tokens. */
  readonly tokens: number;
  readonly rng: Rng;
  readonly learningRate: Schedule;
  readonly signal?: AbortSignal;
  /** After every update: how many are packed, and their real tokens. */
  readonly packed?: (updates: number, tokens: number) => void;
}

/** What was written. */
export interface BatchFile {
  readonly updates: number;
  /** Real tokens. */
  readonly tokens: number;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Renders batches in the run's own order.
 *
 * @throws the signal's reason; UserError `output.full`, `output.unwritable`
 */
export async function writeBatches<P extends Position>(options: BatchFileOptions<P>): Promise<BatchFile> {
  const { path, source, packer, from, rng, learningRate } = options;
  const file = await AtomicFile.create(path);
  let bytes = MAGIC.length;
  let tokens = 0;
  let step = from.step;
  try {
    await file.write(MAGIC);
    let position = from.position;
    let block: UpdateMeta[] = [];
    let blockTokens = 0;
    const end = Math.min(options.steps, from.step + options.updates);
    while (step < end && tokens < options.tokens) {
      options.signal?.throwIfAborted();
      const batch = await source.prepare(position, step);
      const counts = packer.add(batch.tensors);
      block.push({
        stats: batch.stats,
        next: batch.next,
        dropout_key: rng.split("dropout", step).keyInt32,
        learning_rate: learningRate(step),
        ...counts,
      });
      step += 1;
      tokens += counts.real;
      blockTokens += counts.real;
      position = batch.next;
      options.packed?.(step - from.step, tokens);
      if (blockTokens < BLOCK_TOKENS && step < end && tokens < options.tokens) continue;
      const encoded = encodeBlock(step - block.length, block, packer.take());
      await file.write(encoded);
      bytes += encoded.length;
      block = [];
      blockTokens = 0;
    }
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
  return { updates: step - from.step, tokens, bytes, sha256: await sha256File(path) };
}
