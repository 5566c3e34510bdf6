import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { createEngine, type Engine } from "../src/engine/index.js";
import { ourEngines, Side } from "./engines/sides.js";
import { defineBench, type Json, type Peer } from "./harness/index.js";
import { CODE_LENGTH, MODEL, peerJob, stage2Job, TEXT_LENGTH } from "./stage2/job.js";

const PEER = "sentence-transformers-fp32";
const CHUNKS = [16, 32, 64] as const;
/** Engines of ours that are measured, the first beside the peer in the same precision. */
const OURS = ["onnxruntime-fp32", "torch-bf16"] as const;

/**
 * Pairs a second of stage 2 at 1,024 pairs, `tiny` with dropout 0.1, beside sentence-transformers'
 * CachedMultipleNegativesRankingLoss of the same sizes and chunks; each side with the chunk that is fastest for it, found
 * on smaller batches first, where the peer runs in bf16 as well. The ratio with the peer's name is that of our faster
 * engine, which `--engine auto` takes. And what gradient caching costs: a batch that fits, whole and in chunks.
 */
export const bench = defineBench({
  about: "stage 2, pairs a second at 1,024 pairs: ours beside sentence-transformers' cached loss; cost of caching",
  async run(context) {
    const threads = availableParallelism();
    const pairs = context.quick ? 8 : 1024;
    const trial = context.quick ? 8 : 64;
    const chunks = context.quick ? [4] : CHUNKS;
    const engines = ourEngines(await context.python());
    const peer = await context.peer("stage2_sentence_transformers.py", peerJob(pairs, threads));
    const tuned = await tune(peer, engines, chunks, trial, threads);
    context.log(`stage2: chunks ${JSON.stringify(tuned)}, ${Math.round(context.secondsLeft())} s left`);
    const caching = await cachingCost(trial, threads);

    const losses: Record<string, number[]> = Object.fromEntries([...OURS, PEER].map((name) => [name, []]));
    const sides: Record<string, Side> = {};
    for (const name of OURS) {
      sides[name] = await Side.open(engines[name]!, stage2Job(pairs, best(tuned[name]!), threads));
    }
    try {
      const contender = (name: string, measure: () => Promise<{ seconds: number; loss: readonly number[] }>) => ({
        name,
        async measure() {
          const { seconds, loss } = await measure();
          losses[name]!.push(...loss);
          return seconds;
        },
      });
      const measured = await context.interleave(
        [
          ...OURS.map((name) =>
            contender(name, async () => {
              const { seconds, loss } = await sides[name]!.measure();
              return { seconds, loss: [loss] };
            }),
          ),
          contender(PEER, async () => {
            const { seconds, loss } = await step(peer, pairs, best(tuned[PEER]!));
            return { seconds: seconds[0]!, loss };
          }),
        ],
        { repetitions: 3, warmUp: 0 },
      );
      const values: Record<string, Json> = {};
      for (const [name, { median, min, max, samples }] of Object.entries(measured.summaries)) {
        const loss = { "loss-first": losses[name]![0]!, "loss-last": losses[name]!.at(-1)! };
        values[name] = { "pairs-per-second": pairs / median, median, min, max, seconds: samples, ...loss };
      }
      const against = Object.fromEntries(OURS.map((name) => [`${name}/${PEER}`, measured.ratio(name, PEER)]));
      return {
        values: { ...values, "chunk trials, seconds": tuned, caching },
        ratios: { [PEER]: Math.max(...Object.values(against)), ...against },
        settings: {
          ...{ model: "tiny", pairs, dropout: MODEL.dropout, threads, "trial-pairs": trial },
          ...{ "text-tokens": TEXT_LENGTH, "code-tokens": CODE_LENGTH },
          chunks: Object.fromEntries([...OURS, PEER].map((name) => [name, best(tuned[name]!)])),
          repetitions: measured.shortened ?? measured.repetitions,
          peer: (peer.ready as { ready: Json }).ready,
        },
        versions: {
          "onnxruntime-node": (createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string })
            .version,
        },
      };
    } finally {
      for (const side of Object.values(sides)) await side.close();
    }
  },
});

/** Seconds of a step by chunk. */
type Trials = Readonly<Record<string, number>>;

/** The better of two steps of each contender for each chunk, in turns. */
async function tune(
  peer: Peer,
  engines: Readonly<Record<string, Engine>>,
  chunks: readonly number[],
  pairs: number,
  threads: number,
): Promise<Readonly<Record<string, Trials>>> {
  const trials: Record<string, Record<string, number>> = {};
  const note = (name: string, chunk: number, seconds: number): void => {
    const own = (trials[name] ??= {});
    own[chunk] = Math.min(own[chunk] ?? Infinity, seconds);
  };
  for (const chunk of chunks) {
    for (const name of OURS) {
      const side = await Side.open(engines[name]!, stage2Job(pairs, chunk, threads));
      try {
        for (let round = 0; round < 2; round++) note(name, chunk, (await side.measure()).seconds);
      } finally {
        await side.close();
      }
    }
    for (const bf16 of [false, true]) {
      for (let round = 0; round < 2; round++) {
        const name = bf16 ? "sentence-transformers-bf16" : PEER;
        note(name, chunk, (await step(peer, pairs, chunk, bf16)).seconds[0]!);
      }
    }
  }
  return trials;
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

async function step(
  peer: Peer,
  pairs: number,
  chunk: number,
  bf16 = false,
): Promise<{ seconds: number[]; loss: number[] }> {
  return (await peer.ask({ pairs, chunk, steps: 1, bf16 })) as { seconds: number[]; loss: number[] };
}
