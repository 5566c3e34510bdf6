/** Runs in a process of its own (see `train.ts`): trains, counts, writes the merges, ends. */
import { createReadStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import tokenizers from "tokenizers";
import { messageOf } from "../base/index.js";
import type { TokenizerJson } from "./_format.js";

export interface TrainJob {
  /** The `tokenizer.json` to start from. */
  readonly untrained: string;
  /** A file with one text a line. */
  readonly texts: string;
  /** Where {@link TrainedMerges} go, as JSON. */
  readonly output: string;
  /** How many tokens the merges are to add. */
  readonly newTokens: number;
  readonly minFrequency: number;
}

export interface TrainedMerges {
  /** The first merges, as many as are needed for `newTokens`. */
  readonly merges: readonly (readonly [string, string])[];
  /** How many tokens the text gives at this minimal frequency, `newTokens` at most. */
  readonly available: number;
}

async function train(job: TrainJob): Promise<void> {
  const tokenizer = tokenizers.Tokenizer.fromString(job.untrained);
  tokenizer.train([job.texts]);
  tokenizer.save(job.output);
  const { model } = JSON.parse(await readFile(job.output, "utf8")) as TokenizerJson;
  const all = (model.merges ?? []) as [string, string][];
  let merges = firstMerges(all, job.newTokens);
  if (job.minFrequency > 1) {
    const vocab = model.vocab as Record<string, number>;
    merges = merges.slice(0, await frequentMerges(tokenizer, vocab, all, merges.length, job));
  }
  const available = new Set(merges.map(([left, right]) => left + right)).size;
  await writeFile(job.output, JSON.stringify({ merges, available } satisfies TrainedMerges));
}

/** Two merges may give the same token, so tokens are counted, not merges. */
function firstMerges(merges: readonly [string, string][], newTokens: number): [string, string][] {
  const tokens = new Set<string>();
  let count = 0;
  for (const [left, right] of merges) {
    const token = left + right;
    if (!tokens.has(token) && tokens.size === newTokens) break;
    tokens.add(token);
    count += 1;
  }
  return merges.slice(0, count);
}

/**
 * How many of the first `wanted` merges were applied at least `minFrequency` times. A merge was applied once for each
 * time that its token is part of another in the encoded text: counts of the final tokens, passed down to their two parts
 * from the last merge to the first. Merge frequencies never rise, so the text is read only until the last wanted one has
 * been seen often enough.
 */
async function frequentMerges(
  tokenizer: InstanceType<typeof tokenizers.Tokenizer>,
  vocab: Readonly<Record<string, number>>,
  all: readonly [string, string][],
  wanted: number,
  job: TrainJob,
): Promise<number> {
  const seen = new Float64Array(Object.keys(vocab).length);
  const parts = all.map(([left, right]) => [vocab[left + right]!, vocab[left]!, vocab[right]!] as const);
  const applied = (): Float64Array => {
    const counts = seen.slice();
    const frequency = new Float64Array(all.length);
    for (let i = all.length - 1; i >= 0; i--) {
      const [token, left, right] = parts[i]!;
      frequency[i] = counts[token]!;
      counts[token] = 0; // An earlier merge to the same token is counted no second time.
      counts[left]! += frequency[i]!;
      counts[right]! += frequency[i]!;
    }
    return frequency;
  };
  const lastIsFrequent = (): boolean => wanted === 0 || applied()[wanted - 1]! >= job.minFrequency;
  let rest = "";
  const count = async (text: string): Promise<void> => {
    for (const encoding of await tokenizer.encodeBatch(text.split("\n"))) {
      for (const id of encoding.getIds()) seen[id]! += 1;
    }
  };
  for await (const chunk of createReadStream(job.texts, { encoding: "utf8", highWaterMark: 2 ** 20 })) {
    const text = rest + String(chunk);
    const end = text.lastIndexOf("\n") + 1;
    rest = text.slice(end);
    await count(text.slice(0, end));
    if (lastIsFrequent()) return wanted;
  }
  await count(rest);
  if (lastIsFrequent()) return wanted;
  const rare = applied().findIndex((frequency) => frequency < job.minFrequency);
  return Math.min(wanted, rare === -1 ? wanted : rare);
}

process.once("message", (job) => {
  train(job as TrainJob).then(
    () => process.disconnect(),
    (error: unknown) => {
      process.exitCode = 1;
      process.send?.(messageOf(error), () => process.disconnect());
    },
  );
});
