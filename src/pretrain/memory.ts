import { totalmem } from "node:os";
import { messageOf, UserError } from "../base/index.js";
import { isPlainBag, parameterShapes, type ModelConfig } from "../model/index.js";

/** Sizes that decide what an update needs. */
export interface UpdateSize {
  /** Rows or pairs computed at a time. */
  readonly items: number;
  /** Tokens of each. */
  readonly length: number;
  /** Share of the tokens whose logits are computed; 0 in stage 2. */
  readonly masked: number;
}

/**
 * Roughly the bytes of an update in fp32: parameters, gradients and two moments; and what the forward pass keeps for the
 * backward one (about 34 numbers of the width a token and block, 3 of attention's scores a head and pair of tokens, 3 a
 * logit).
 */
export function updateBytes(
  model: ModelConfig,
  { items, length, masked }: UpdateSize,
): { state: number; item: number } {
  const parameters = Object.values(parameterShapes(model)).reduce(
    (sum, shape) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
  const block = 34 * model.width + 3 * model.heads * length;
  const bag = isPlainBag(model) ? 3 * model.vocabSize : 0; // Counts of every token of the vocabulary.
  const item = 4 * (bag + length * (model.layers * block + 3 * masked * model.vocabSize));
  return { state: 16 * parameters, item: items > 0 ? item : 0 };
}

/** Memory that this process may use: the machine's, or less where its container has a limit. */
function memoryLimit(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Chunks beyond this size save no time and cost memory: products of matrices are as fast as they get. */
const LARGEST_CHUNK = 64;

/**
 * Pairs of stage 2 to compute at a time: all (null) where half of the memory holds them by estimate, else the largest
 * power of two up to {@link LARGEST_CHUNK} for which it does.
 */
export function automaticChunk(
  model: ModelConfig,
  {
    batch,
    textLength,
    codeLength,
  }: { readonly batch: number; readonly textLength: number; readonly codeLength: number },
  memory = memoryLimit(),
): number | null {
  const [text, code] = [textLength, codeLength].map((length) => updateBytes(model, { items: 1, length, masked: 0 }));
  const room = memory / 2 - code!.state;
  // The loss keeps about eight matrices of all similarities; in chunks it goes by blocks of anchors.
  if (batch * (text!.item + code!.item) + 8 * 4 * (2 * batch) ** 2 <= room) return null;
  let chunk = 1;
  while (2 * chunk <= Math.min(batch, LARGEST_CHUNK) && 2 * chunk * Math.max(text!.item, code!.item) <= room)
    chunk *= 2;
  return chunk;
}

/** Whether an engine's error says that memory ran out. */
export function isOutOfMemory(error: unknown): boolean {
  if (error instanceof UserError && error.code === "engine.memory") return true;
  return /bad_alloc|bad allocation|out of memory|failed to allocate memory|can't allocate memory/i.test(
    messageOf(error),
  );
}

/**
 * An engine's error completed by how many rows or pairs at a time would fit, by estimate: at most half of what was tried.
 *
 * @returns UserError `train.out-of-memory`
 */
export function outOfMemory(error: unknown, model: ModelConfig, size: UpdateSize): UserError {
  const message = messageOf(error);
  const named = /total capacity of ([\d.]+) GiB/.exec(message)?.[1]; // PyTorch's words.
  const memory = named === undefined ? memoryLimit() : Number(named) * 2 ** 30;
  const { state, item } = updateBytes(model, size);
  const fits = Math.min(size.items >> 1, Math.floor((0.8 * memory - state) / item));
  const gigabytes = ((state + size.items * item) / 2 ** 30).toFixed(1);
  const fix =
    fits >= 1
      ? `Set training.chunk to ${fits}: the batch stays what it is, and is computed so many at a time. The last checkpoint is kept`
      : "Take a smaller model or shorter rows, or a machine with more memory. The last checkpoint is kept";
  return new UserError(
    "train.out-of-memory",
    `training: expected memory for ${size.items} at a time, about ${gigabytes} GB by estimate, got: ${message}`,
    { fix, cause: error },
  );
}
