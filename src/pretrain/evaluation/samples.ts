import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { int32, tensor, writeFileAtomic, type Rng } from "../../base/index.js";
import type { DecodingTokenizer } from "../types.js";
import type { TrainingDocument, TrainSession } from "../types.js";

/** A masked token with what the model would write there; one entry of `samples.json`. */
export interface Sample {
  readonly step: number;
  readonly before: string;
  readonly after: string;
  readonly truth: string;
  readonly guesses: readonly { readonly text: string; readonly probability: number }[];
}

/** A text with one token that is to be guessed. */
export interface SampleTask {
  readonly ids: Int32Array;
  readonly place: number;
  readonly before: string;
  readonly after: string;
  readonly truth: string;
}

const CONTEXT = 96;
const [SHOWN_BEFORE, SHOWN_AFTER] = [32, 16];

/** Chooses a token with a letter in it in each of the documents, until there are `count`. */
export async function sampleTasks(
  documents: readonly TrainingDocument[],
  tokenizer: DecodingTokenizer,
  { count, length, rng }: { readonly count: number; readonly length: number; readonly rng: Rng },
): Promise<SampleTask[]> {
  const tasks: SampleTask[] = [];
  for (const number of rng.permutation(documents.length)) {
    if (tasks.length === count) break;
    const whole = (await tokenizer.encodeIds([documents[number]!.text.slice(0, 20 * CONTEXT)]))[0]!;
    const context = whole.subarray(0, Math.min(CONTEXT, length - 1));
    const draw = rng.split("place", number);
    for (let attempt = 0; attempt < 16 && context.length > 8; attempt++) {
      const place = 4 + draw.int(context.length - 4);
      const truth = await tokenizer.decode([context[place]!]);
      if (!/\p{L}/u.test(truth)) continue;
      const ids = Int32Array.from([...context, tokenizer.eosId]);
      ids[place] = tokenizer.maskId;
      tasks.push({
        ...{ ids, place, truth },
        before: await tokenizer.decode(context.subarray(Math.max(0, place - SHOWN_BEFORE), place)),
        after: await tokenizer.decode(context.subarray(place + 1, place + 1 + SHOWN_AFTER)),
      });
      break;
    }
  }
  return tasks;
}

/** Guesses the tokens. */
export async function guessSamples(
  session: TrainSession,
  program: string,
  tasks: readonly SampleTask[],
  tokenizer: DecodingTokenizer,
  step: number,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const { ids, place, before, after, truth } of tasks) {
    const inputs = { input_ids: tensor("int32", [1, ids.length], ids), places: int32([1], [place]) };
    const row = (await session.run(program, inputs))["log_probabilities"]!.data as Float32Array;
    const best = [...row.keys()].sort((a, b) => row[b]! - row[a]! || a - b).slice(0, 5);
    const guesses = best.map(async (id) => ({
      text: await tokenizer.decode([id]),
      probability: Number(Math.exp(row[id]!).toFixed(4)),
    }));
    samples.push({ step, before, after, truth, guesses: await Promise.all(guesses) });
  }
  return samples;
}

/** Entries that stay in the file. */
const KEPT = 200;

/** Adds samples to `samples.json` of a run folder; those of updates that a resumed run does again give way. */
export async function writeSamples(run: string, samples: readonly Sample[], step: number): Promise<void> {
  const path = join(run, "samples.json");
  const text = await readFile(path, "utf8").catch(() => "[]");
  let old: Sample[] = [];
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) old = value as Sample[];
  } catch {
    // Not ours, or spoilt: it is only for looking at.
  }
  const all = [...old.filter((sample) => sample.step < step), ...samples].slice(-KEPT);
  await writeFileAtomic(path, `${JSON.stringify(all, null, 1)}\n`);
}
