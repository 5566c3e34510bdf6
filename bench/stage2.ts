import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { createEngine } from "../src/engine/index.js";
import { Side } from "./engines/sides.js";
import { defineBench, type Json, type Peer } from "./harness/index.js";
import { CODE_LENGTH, MODEL, peerJob, stage2Job, TEXT_LENGTH } from "./stage2/job.js";

const PEER = "sentence-transformers-fp32";
const CHUNKS = [16, 32, 64, 128] as const;

/**
 * Pairs a second of stage 2 at 1,024 pairs, `tiny` with dropout 0.1, beside sentence-transformers'
 * CachedMultipleNegativesRankingLoss of the same sizes and chunks; each side with the chunk that is fastest for it, found
 * on smaller batches first. And what gradient caching costs: a batch that fits, whole and in chunks.
 */
export const bench = defineBench({
  about: "stage 2, pairs a second at 1,024 pairs: ours beside sentence-transformers' cached loss; cost of caching",
  async run(context) {
    const threads = availableParallelism();
    const pairs = context.quick ? 8 : 1024;
    const trial = context.quick ? 8 : 128;
    const chunks = context.quick ? [4] : CHUNKS;
    const peer = await context.peer("stage2_sentence_transformers.py", peerJob(pairs, threads));
    const tuned = await tune(peer, chunks, trial, threads);
    context.log(`stage2: chunks ${JSON.stringify(tuned)}, ${Math.round(context.secondsLeft())} s left`);
    const caching = await cachingCost(trial, threads);

    const losses: Record<string, number[]> = { ours: [], [PEER]: [] };
    const ours = await Side.open(createEngine("onnxruntime"), stage2Job(pairs, best(tuned.ours), threads));
    try {
      const measured = await context.interleave(
        [
          {
            name: "ours",
            async measure() {
              const { seconds, loss } = await ours.measure();
              losses["ours"]!.push(loss);
              return seconds;
            },
          },
          {
            name: PEER,
            async measure() {
              const { seconds, loss } = await step(peer, pairs, best(tuned.peer));
              losses[PEER]!.push(...loss);
              return seconds;
            },
          },
        ],
        { repetitions: 3, warmUp: 0 },
      );
      const values: Record<string, Json> = {};
      for (const [name, { median, min, max, samples }] of Object.entries(measured.summaries)) {
        const loss = { "loss-first": losses[name]![0]!, "loss-last": losses[name]!.at(-1)! };
        values[name] = { "pairs-per-second": pairs / median, median, min, max, seconds: samples, ...loss };
      }
      return {
        values: { ...values, "chunk trials, seconds": tuned, caching },
        ratios: { [PEER]: measured.ratio("ours", PEER) },
        settings: {
          ...{ model: "tiny", pairs, dropout: MODEL.dropout, threads, "trial-pairs": trial },
          ...{ "text-tokens": TEXT_LENGTH, "code-tokens": CODE_LENGTH },
          ...{ "our-chunk": best(tuned.ours), "peer-chunk": best(tuned.peer) },
          repetitions: measured.shortened ?? measured.repetitions,
          peer: (peer.ready as { ready: Json }).ready,
        },
        versions: {
          "onnxruntime-node": (createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string })
            .version,
        },
      };
    } finally {
      await ours.close();
    }
  },
});

/** Seconds of a step by chunk. */
type Trials = Readonly<Record<string, number>>;

/** The better of two steps of each side for each chunk, in turns. */
async function tune(
  peer: Peer,
  chunks: readonly number[],
  pairs: number,
  threads: number,
): Promise<{ readonly ours: Trials; readonly peer: Trials }> {
  const [ours, theirs]: [Record<string, number>, Record<string, number>] = [{}, {}];
  for (const chunk of chunks) {
    const side = await Side.open(createEngine("onnxruntime"), stage2Job(pairs, chunk, threads));
    try {
      for (let round = 0; round < 2; round++) {
        ours[chunk] = Math.min(ours[chunk] ?? Infinity, (await side.measure()).seconds);
        theirs[chunk] = Math.min(theirs[chunk] ?? Infinity, ...(await step(peer, pairs, chunk)).seconds);
      }
    } finally {
      await side.close();
    }
  }
  return { ours, peer: theirs };
}

function best(trials: Trials): number {
  return Number(Object.entries(trials).reduce((least, each) => (each[1] < least[1] ? each : least))[0]);
}

/** What the second forward pass costs: a batch that fits, whole, and cached as a single chunk; the better of two each. */
async function cachingCost(trial: number, threads: number): Promise<Json> {
  const pairs = Math.min(trial, 64);
  const seconds: Record<"whole" | "cached", number> = { whole: Infinity, cached: Infinity };
  const sides = {
    whole: await Side.open(createEngine("onnxruntime"), stage2Job(pairs, null, threads)),
    cached: await Side.open(createEngine("onnxruntime"), stage2Job(pairs, pairs, threads)),
  };
  try {
    for (let round = 0; round < 3; round++) {
      for (const name of ["whole", "cached"] as const) {
        const took = (await sides[name].measure()).seconds;
        if (round > 0) seconds[name] = Math.min(seconds[name], took);
      }
    }
  } finally {
    await sides.whole.close();
    await sides.cached.close();
  }
  return { pairs, ...seconds, "cached/whole": seconds.cached / seconds.whole };
}

async function step(peer: Peer, pairs: number, chunk: number): Promise<{ seconds: number[]; loss: number[] }> {
  return (await peer.ask({ pairs, chunk, steps: 1 })) as { seconds: number[]; loss: number[] };
}
