import { tensor, type Language, type Tensor } from "../../base/index.js";
import { packRows, type Example, type Objective, type Reader } from "../packing.js";
import { packedTensors } from "../stage1-batches.js";
import type { TrainSession } from "../types.js";

/** Masked validation documents of one language under one objective, packed. */
export interface MaskedSet {
  readonly lang: Language;
  readonly objective: Objective;
  readonly batches: readonly { readonly tensors: Readonly<Record<string, Tensor>>; readonly masked: number }[];
}

/** Packs examples into batches of at most `rows` rows, without rows of padding alone. */
export async function packExamples(
  examples: readonly Example[],
  shape: { readonly rows: number; readonly length: number; readonly padId: number },
): Promise<MaskedSet["batches"]> {
  const reader = new ListReader(examples);
  const batches: { tensors: Record<string, Tensor>; masked: number }[] = [];
  while (!reader.done) {
    const packed = await packRows(() => reader, shape);
    const rows = packed.segments.findLastIndex((segment) => segment > 0) / shape.length;
    const used = Math.floor(rows) + 1;
    const tensors = packedTensors(packed);
    delete tensors["row_ids"]; // Only dropout asks for them.
    for (const name of ["input_ids", "positions", "segments"]) {
      tensors[name] = tensor(
        "int32",
        [used, shape.length],
        (tensors[name]!.data as Int32Array).slice(0, used * shape.length),
      );
    }
    const masked = packed.masked.index.length;
    if (masked > 0) batches.push({ tensors, masked });
  }
  return batches;
}

/** Sums over masked tokens. */
interface Sums {
  loss: number;
  correct: number;
  masked: number;
}

/**
 * Loss, accuracy and perplexity over masked validation tokens: `validation_loss_r`, ..., and by language
 * `validation_accuracy_r_python`, `validation_loss_r_python`.
 */
export async function evaluateMasked(
  session: TrainSession,
  program: string,
  sets: readonly MaskedSet[],
): Promise<Record<string, number>> {
  const sums = new Map<string, Sums>();
  for (const { lang, objective, batches } of sets) {
    const suffix = objective.toLowerCase();
    for (const { tensors, masked } of batches) {
      const outputs = await session.run(program, tensors);
      // Weights are one over the batch's masked tokens, so these are its means.
      const [loss, correct] = [`loss_${suffix}`, `correct_${suffix}`].map((name) => Number(outputs[name]!.data[0]));
      for (const key of [suffix, `${suffix}_${lang}`]) {
        const sum = sums.get(key) ?? { loss: 0, correct: 0, masked: 0 };
        sums.set(key, sum);
        sum.loss += masked * loss!;
        sum.correct += masked * correct!;
        sum.masked += masked;
      }
    }
  }
  const metrics: Record<string, number> = {};
  for (const [key, { loss, correct, masked }] of sums) {
    metrics[`validation_loss_${key}`] = loss / masked;
    metrics[`validation_accuracy_${key}`] = correct / masked;
    if (!key.includes("_")) metrics[`validation_perplexity_${key}`] = Math.exp(loss / masked);
  }
  return metrics;
}

class ListReader implements Reader {
  offset = 0;
  private index = 0;

  constructor(private readonly examples: readonly Example[]) {}

  get done(): boolean {
    return this.index >= this.examples.length;
  }

  current(): Promise<Example | undefined> {
    return Promise.resolve(this.examples[this.index]);
  }

  advance(): void {
    this.index += 1;
    this.offset = 0;
  }
}
