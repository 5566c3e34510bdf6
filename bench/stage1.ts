import { createRequire } from "node:module";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { writeSafetensors } from "../src/base/index.js";
import type { Engine } from "../src/engine/index.js";
import { toOnnx } from "../src/graph/index.js";
import { sizeWith } from "../src/model/index.js";
import { defaultDataWorkers, stage1Step } from "../src/pretrain/index.js";
import { trainTokenizer } from "../src/tokenizer/index.js";
import { benchFiles } from "./corpus/files.js";
import { ourEngines, UPDATE } from "./engines/sides.js";
import { defineBench, summarise, type BenchContext, type Json, type Peer } from "./harness/index.js";
import { sgemmPeak, updateFlop } from "./stage1/cost.js";
import { EngineOnly, TrainingRun, type Stage1Job } from "./stage1/run.js";

const VOCABULARY = 16_384;
/** Ratios of tokens a second, end to end: `name`, ours, theirs. */
const RATIOS: readonly (readonly [name: string, ours: string, theirs: string])[] = [
  ["transformers-fp32", "onnxruntime", "transformers-fp32"],
  ["torch-fp32/transformers-fp32", "torch-fp32", "transformers-fp32"],
  ["torch-bf16/transformers-bf16", "torch-bf16", "transformers-bf16"],
  ["end-to-end/engine-only", "onnxruntime", "engine-only"],
];

const SHARED = { dropout: 0.1 } as const;
/** Measured for a few updates, after the main comparison. */
const OTHER_SHAPES = [
  { name: "tiny 4 x 1024", size: "tiny", rows: 4, length: 1024 },
  { name: "small 2 x 256", size: "small", rows: 2, length: 256 },
] as const;
/** Kept for each of them. */
const SHAPE_SECONDS = 80;

/**
 * Stage 1 end to end, data preparation included: `lodestone pretrain stage1`'s own loop on onnxruntime and on the torch
 * engine (fp32, bf16) beside transformers' Trainer with BertForMaskedLM (fp32, bf16), on the same files with the same
 * tokenizer, and beside our engine alone on batches that are there already. Then what an update on onnxruntime costs:
 * FLOP/s, their share of the machine's matrix product, and each operator's share by ONNX Runtime's profiler.
 */
export const bench = defineBench({
  about:
    "stage 1 end to end (tiny, 16 x 256 tokens) beside transformers' Trainer, fp32 and bf16 (--data DIR for more files)",
  async run(context) {
    const threads = availableParallelism();
    const files = benchFiles(context.quick ? 200_000 : 3_000_000, context.data);
    const documents = files.map(({ lang, text }) => ({ lang, text }));
    const texts = async function* (): AsyncGenerator<string> {
      for (const { text } of await Promise.resolve(documents)) yield text;
    };
    const tokenizer = await trainTokenizer(texts(), { vocabSize: context.quick ? 2048 : VOCABULARY });
    const { padId, eosId, maskId, vocabSize } = tokenizer;
    const special = { vocabSize, padId, eosId, maskId };
    const model = sizeWith("tiny", { ...SHARED, ...special });
    const job: Stage1Job = { model, tokenizer, documents, rows: 16, length: 256, threads };
    context.log(`stage1: ${documents.length} documents, vocabulary ${vocabSize}, ${elapsed(context)} s left`);
    const folder = await mkdtemp(join(tmpdir(), "lodestone-bench-stage1-"));
    try {
      const updates = context.quick ? 2 : 8;
      const reserve = context.quick ? 20 : 45 + OTHER_SHAPES.length * SHAPE_SECONDS;
      const measured = await compare(context, job, folder, { updates, repetitions: 4, reserve });
      const cost = await describeCost(context, job, measured.seconds["onnxruntime"]!, folder);
      const values: Record<string, Json> = { ...measured.values, ...cost };
      const ratios = ratiosOf(measured, "");
      for (const { name, size, rows, length } of context.quick ? [] : OTHER_SHAPES) {
        if (context.secondsLeft() < SHAPE_SECONDS / 2) {
          context.log(`stage1: no time is left for ${name}`);
          continue;
        }
        const other = { ...job, model: sizeWith(size, { ...SHARED, ...special }), rows, length };
        const few = await compare(context, other, folder, {
          ...{ updates: 2, repetitions: 2, reserve: 10 },
          sides: ["onnxruntime", "torch-bf16", "transformers-fp32", "transformers-bf16"],
        });
        for (const [side, value] of Object.entries(few.values)) values[`${name}: ${side}`] = value;
        Object.assign(ratios, ratiosOf(few, `${name}: `));
      }
      return {
        values,
        ratios,
        settings: {
          ...{ model: "tiny", vocabulary: vocabSize, rows: job.rows, tokens: job.length, dropout: 0.1, threads },
          ...{ objective: "P", "data-workers": defaultDataWorkers(), documents: documents.length },
          characters: documents.reduce((sum, { text }) => sum + text.length, 0),
          ...measured.settings,
          shapes: OTHER_SHAPES.map(({ name }) => name),
        },
        versions: { "onnxruntime-node": ortVersion() },
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
});

interface Measured {
  readonly values: Readonly<Record<string, Json>>;
  /** Median seconds of an update. */
  readonly seconds: Readonly<Record<string, number>>;
  readonly settings: Readonly<Record<string, Json>>;
}

/** How long a comparison may be. */
interface Extent {
  /** Of each contender in a repetition. */
  readonly updates: number;
  readonly repetitions: number;
  /** Seconds to leave for what follows. */
  readonly reserve: number;
  /** Contenders; all if not given. */
  readonly sides?: readonly string[];
}

function ratiosOf({ seconds }: Measured, prefix: string): Record<string, number> {
  return Object.fromEntries(
    RATIOS.filter(([, ...sides]) => sides.every((side) => side in seconds)).map(([name, ours, theirs]) => [
      `${prefix}${name}`,
      round(seconds[theirs]! / seconds[ours]!),
    ]),
  );
}

async function compare(context: BenchContext, job: Stage1Job, folder: string, extent: Extent): Promise<Measured> {
  const engines: Readonly<Record<string, Engine>> = ourEngines(await context.python());
  const { updates } = extent;
  const few = updates < 4;
  const takesPart = (side: string): boolean => extent.sides?.includes(side) ?? true;
  const runs = new Map<string, TrainingRun>();
  const peers = new Map<string, Peer>();
  let alone: EngineOnly | undefined;
  try {
    for (const [name, engine] of [
      ["onnxruntime", "onnxruntime-fp32"],
      ["torch-fp32", "torch-fp32"],
      ["torch-bf16", "torch-bf16"],
    ] as const) {
      if (takesPart(name)) runs.set(name, await TrainingRun.open(engines[engine]!, job));
    }
    if (takesPart("engine-only")) alone = await EngineOnly.open(engines["onnxruntime-fp32"]!, job, 2 * updates);
    const given = await peerJob(job, folder);
    for (const precision of ["fp32", "bf16"]) {
      const name = `transformers-${precision}`;
      if (takesPart(name)) peers.set(name, await context.peer("stage1_trainer.py", { ...given, precision }));
    }
    context.log(`stage1: all contenders are ready, ${elapsed(context)} s left`);
    const engineOnly = alone;
    const { summaries, repetitions, shortened } = await context.interleave(
      [
        ...[...runs].map(([name, run]) => ({
          name,
          measure: () => run.updates(updates, few ? 1 : undefined),
        })),
        ...(engineOnly === undefined
          ? []
          : [{ name: "engine-only", measure: () => engineOnly.updates(updates, few ? 0 : 2) }]),
        ...[...peers].map(([name, peer]) => ({
          name,
          measure: async () => ((await peer.ask(updates)) as { seconds: number[] }).seconds,
        })),
      ],
      { warmUp: 0, repetitions: extent.repetitions, seconds: context.secondsLeft() - extent.reserve },
    );
    const tokens = job.rows * job.length;
    const values: Record<string, Json> = {};
    for (const [name, { median, min, max, samples }] of Object.entries(summaries)) {
      const run = runs.get(name);
      values[name] = {
        ...{ median: round(median), min: round(min), max: round(max), seconds: samples.map(round) },
        "tokens-per-second": Math.round(tokens / median),
        ...(run === undefined
          ? {}
          : {
              "engine-busy": round(summarise(run.busy).median),
              ...{ "loss-first": round(run.losses[0]!), "loss-last": round(run.losses.at(-1)!) },
            }),
      };
    }
    return {
      values,
      seconds: Object.fromEntries(Object.entries(summaries).map(([name, { median }]) => [name, median])),
      settings: {
        ...{ repetitions: shortened ?? repetitions, "updates-a-repetition": updates },
        ...Object.fromEntries([...peers].map(([name, { ready }]) => [name, (ready as { ready: Json }).ready])),
      },
    };
  } finally {
    for (const peer of peers.values()) await peer.close();
    for (const run of runs.values()) await run.close();
    await alone?.close();
  }
}

async function peerJob({ model, tokenizer, documents, rows, length, threads }: Stage1Job, folder: string) {
  const paths = { tokenizer: join(folder, "tokenizer.json"), documents: join(folder, "documents.json") };
  await writeFile(paths.tokenizer, tokenizer.source);
  await writeFile(paths.documents, JSON.stringify(documents.map(({ text }) => text)));
  const { vocabSize, maxLength, width, heads, layers, dropout } = model;
  return {
    ...{ ...paths, rows, tokens: length, threads, vocabSize, maxLength, width, heads, layers, dropout },
    ...{ seed: 1, learningRate: 3e-4 },
  };
}

async function describeCost(
  context: BenchContext,
  job: Stage1Job,
  seconds: number,
  folder: string,
): Promise<Record<string, Json>> {
  const engine = ourEngines(await context.python())["onnxruntime-fp32"]!;
  const peak = await sgemmPeak(engine, job.threads);
  const alone = await EngineOnly.open(engine, job, 4);
  await alone.close();
  const [batch] = alone.batches;
  const masked = alone.batches.reduce((sum, each) => sum + each["masked_index"]!.dims[0]!, 0) / alone.batches.length;
  const flop = updateFlop(job.model, job.rows, job.length, masked);
  const [model, tensors] = [join(folder, "step.onnx"), join(folder, "tensors.safetensors")];
  await writeFile(model, toOnnx(stage1Step(job.model, UPDATE), { target: "onnxruntime" }));
  await writeSafetensors(tensors, { ...alone.state, ...batch });
  const peer = await context.peer("profile_onnx.py", {
    model,
    tensors,
    threads: job.threads,
    steps: context.quick ? 1 : 4,
  });
  try {
    const profile = (await peer.ask("go")) as Json;
    return {
      "cost onnxruntime": {
        "gflop-an-update": round(flop / 1e9),
        "gflop-per-second": round(flop / seconds / 1e9),
        "sgemm-peak-gflop-per-second": round(peak / 1e9),
        "share-of-peak": round(flop / seconds / peak),
      },
      "profile onnxruntime": profile,
    };
  } finally {
    await peer.close();
  }
}

function elapsed(context: BenchContext): number {
  return Math.round(context.secondsLeft());
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

function ortVersion(): string {
  return (createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string }).version;
}
