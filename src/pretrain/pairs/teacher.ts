import { join } from "node:path";
import { ProgressMeter, sha256, UserError, type ProgressEvent } from "../../base/index.js";
import { emptyRecords, RecordFiles, type PairEncoder, type VectorRecords } from "../../corpus/index.js";
import { requireDimension, type Distillation } from "../losses/index.js";
import type { TrainingPair } from "../types.js";

/** An opened teacher, and where its vectors are kept. */
export interface Teacher {
  readonly encoder: PairEncoder;
  /** A folder for vectors on disk: 4 bytes a dimension and pair. What is there already is not made again. */
  readonly cache: string;
}

/** What a configuration says of a teacher. */
export interface TeacherConfig {
  readonly kind: Distillation["kind"];
  readonly weight: number;
  readonly temperature: number;
  readonly textLength: number;
  readonly codeLength: number;
}

/**
 * The loss's part of a teacher.
 *
 * @throws UserError `teacher.missing` where none was opened, `teacher.dimension`
 */
export function distillationOf(
  { kind, weight, temperature }: TeacherConfig,
  teacher: Teacher | undefined,
  width: number,
): Distillation {
  if (teacher === undefined) {
    throw new UserError("teacher.missing", "stage 2: expected the teacher that the configuration names, got none", {
      fix: "Train with lodestone pretrain stage2, which opens it; a packed run cannot have a teacher",
    });
  }
  const { dim } = teacher.encoder;
  if (kind === "embeddings") requireDimension(dim, width);
  return { kind, weight, temperature, dim };
}

/** @see embedByTeacher */
export interface EmbedByTeacherOptions extends Teacher, Pick<TeacherConfig, "textLength" | "codeLength"> {
  /** Names the pairs. */
  readonly hash: string;
  readonly signal?: AbortSignal | undefined;
}

/** Pairs whose vectors are one file. */
const GROUP = 1000;

/**
 * Has a teacher embed the summary and the whole function of all pairs, whatever a batch will show of them, and keeps the
 * vectors on disk: memory holds one group of pairs. A run that was stopped goes on from the groups that are whole.
 *
 * @throws those of the encoder and the pairs; UserError `model.not-finite`, `output.*`; the signal's reason
 */
export async function* embedByTeacher(
  pairs: AsyncIterable<TrainingPair>,
  { encoder, cache, textLength, codeLength, hash, signal }: EmbedByTeacherOptions,
): AsyncGenerator<ProgressEvent, TeacherRows> {
  const key = sha256(JSON.stringify([1, hash, encoder.name, encoder.dim, textLength, codeLength])).slice(0, 16);
  const files = new RecordFiles(join(cache, key), encoder.dim);
  const events: ProgressEvent[] = [];
  const meter = new ProgressMeter("teacher", "pairs", undefined, (event) => events.push(event));
  let done = 0;
  let held: TrainingPair[] = [];
  const flush = async (): Promise<void> => {
    const number = done / GROUP;
    if (!(await files.has(number, held.length))) {
      const records = emptyRecords(held.length, 0);
      const texts = await encoder.embed(
        held.map(({ summary }) => summary),
        textLength,
        signal,
      );
      const codes = await encoder.embed(
        held.map(({ code }) => code),
        codeLength,
        signal,
      );
      await files.write(number, { ...records, texts, codes });
    }
    done += held.length;
    held = [];
    meter.update(done);
  };
  for await (const pair of pairs) {
    signal?.throwIfAborted();
    held.push(pair);
    if (held.length < GROUP) continue;
    await flush();
    yield* events.splice(0);
  }
  if (held.length > 0) await flush();
  meter.update(done, undefined, done);
  yield* events.splice(0);
  return new TeacherRows(files);
}

/** A teacher's vectors on disk. */
export class TeacherRows {
  constructor(private readonly files: RecordFiles) {}

  get dim(): number {
    return this.files.dim;
  }

  /** Vectors of pairs by their place in the order in which pairs are read: [n * dim] each. */
  read(numbers: ArrayLike<number>): Pick<VectorRecords, "texts" | "codes"> {
    return this.files.gather(numbers, (number) => ({ group: Math.floor(number / GROUP), row: number % GROUP }));
  }
}
