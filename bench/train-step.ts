import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { OurSide, trainStepJob } from "./train-step/ours.js";
import { defineBench, type BenchContext, type Json, type Peer, type Summary } from "./harness/index.js";

const PEERS = {
  "pytorch-fp32": "train_step_pytorch.py",
  "transformers-fp32": "train_step_transformers.py",
} as const;
type PeerName = keyof typeof PEERS;

interface Comparison {
  readonly values: Record<string, Json>;
  readonly ratios: Record<string, number>;
  readonly settings: Record<string, Json>;
}

/**
 * One full training step of model `tiny` (forward, backward, clipping, AdamW) beside hand-written PyTorch and
 * transformers' BertForMaskedLM, all in fp32 with the same batch and the same number of threads. Ratios without a suffix
 * are at dropout 0.1, those ending in `-no-dropout` at 0.
 */
export const bench = defineBench({
  about: "one training step (tiny, 16 x 256 tokens) beside PyTorch and transformers, fp32",
  async run(context) {
    const threads = availableParallelism();
    const [withDropout, without] = [
      await compare(context, 0.1, threads, context.secondsLeft() / 2),
      await compare(context, 0, threads, context.secondsLeft()),
    ];
    const suffixed = <T>(values: Record<string, T>): Record<string, T> =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [`${name}-no-dropout`, value]));
    return {
      values: { ...withDropout.values, ...suffixed(without.values) },
      ratios: { ...withDropout.ratios, ...suffixed(without.ratios) },
      settings: { threads, ...withDropout.settings, ...suffixed(without.settings) },
      versions: { "onnxruntime-node": ortVersion() },
    };
  },
});

async function compare(context: BenchContext, dropout: number, threads: number, seconds: number): Promise<Comparison> {
  const start = performance.now();
  const job = trainStepJob(dropout, threads);
  context.log(`train-step: dropout ${dropout}, ${job.batch.masked_index.length} masked of ${job.rows * job.tokens}`);
  const ours = await OurSide.open(job);
  const peers = new Map<PeerName, Peer>();
  const losses: Record<string, number[]> = { ours: [] };
  try {
    for (const [name, script] of Object.entries(PEERS)) peers.set(name as PeerName, await context.peer(script, job));
    const measured = await context.interleave(
      [
        {
          name: "ours",
          async measure() {
            const { seconds: times, losses: values } = await ours.steps(1);
            losses["ours"]!.push(...values);
            return times;
          },
        },
        ...[...peers].map(([name, peer]) => ({
          name,
          async measure() {
            const answer = (await peer.ask(1)) as { seconds: number[]; loss: number[] };
            (losses[name] ??= []).push(...answer.loss);
            return answer.seconds;
          },
        })),
      ],
      { repetitions: 15, warmUp: 2, seconds: seconds - (performance.now() - start) / 1000 },
    );
    const values: Record<string, Json> = {};
    for (const [name, summary] of Object.entries(measured.summaries)) values[name] = describe(summary, losses[name]!);
    return {
      values,
      ratios: Object.fromEntries([...peers.keys()].map((name) => [name, round(measured.ratio("ours", name))])),
      settings: {
        ...{ rows: job.rows, tokens: job.tokens, masked: job.batch.masked_index.length, dropout },
        repetitions: measured.shortened ?? measured.repetitions,
        ...Object.fromEntries([...peers].map(([name, peer]) => [name, (peer.ready as { ready: Json }).ready])),
      },
    };
  } finally {
    for (const peer of peers.values()) await peer.close();
    await ours.close();
  }
}

/** Losses show that all sides learn: each begins near log(vocabulary) and falls on its one batch. */
function describe({ median, min, max, samples }: Summary, losses: readonly number[]): Json {
  const [first, last] = [losses[0]!, losses.at(-1)!];
  return {
    median: round(median),
    min: round(min),
    max: round(max),
    seconds: samples.map(round),
    "loss-first": round(first),
    "loss-last": round(last),
  };
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

function ortVersion(): string {
  return (createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string }).version;
}
