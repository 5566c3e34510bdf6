import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { contrastiveJob, denoisingJob, type Comparison } from "./engines/jobs.js";
import { ourEngines, protocolSeconds, Side } from "./engines/sides.js";
import {
  defineBench,
  summarise,
  type BenchContext,
  type BenchFindings,
  type Json,
  type Peer,
} from "./harness/index.js";

/** What is to be known in the end: ours / theirs, both as named below. */
const RATIOS: readonly (readonly [string, string])[] = [
  ["torch-fp32", "pytorch-fp32"],
  ["torch-bf16", "pytorch-bf16"],
  ["torch-bf16", "onnxruntime-fp32"],
];

/**
 * One training step of each stage on our engines and in hand-written PyTorch, fp32 and bf16, in turns. Ratios are speeds:
 * `torch-fp32/pytorch-fp32` above 1 says that our programs are faster than the hand-written step. `protocol-share` is the
 * part of a torch engine's step that goes into messages between Node and Python.
 */
export const bench = defineBench({
  about: "a step of each stage: onnxruntime and torch engines beside hand-written PyTorch, fp32 and bf16",
  async run(context) {
    const threads = availableParallelism();
    const python = await context.python();
    const first = await compare(context, python, denoisingJob(threads), {
      ...{ warmUp: context.quick ? 0 : 2, repetitions: 12, seconds: context.secondsLeft() * 0.38 },
    });
    const pairs = context.quick ? 48 : 1024;
    const second = await compare(context, python, contrastiveJob(threads, pairs, context.quick ? 24 : 128), {
      ...{ warmUp: 0, repetitions: 7, seconds: context.secondsLeft() },
    });
    const named = <T>(prefix: string, values: Readonly<Record<string, T>>): Record<string, T> =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}: ${name}`, value]));
    return {
      values: { ...named("denoising", first.values), ...named("contrastive", second.values) },
      ratios: { ...named("denoising", first.ratios), ...named("contrastive", second.ratios) },
      settings: { threads, denoising: first.settings, contrastive: second.settings },
      versions: { "onnxruntime-node": ortVersion() },
    };
  },
});

async function compare(
  context: BenchContext,
  python: string,
  { ours, script, peer, settings }: Comparison,
  { seconds, ...counts }: { readonly warmUp: number; readonly repetitions: number; readonly seconds: number },
): Promise<Omit<BenchFindings, "versions">> {
  const start = performance.now();
  const engines = ourEngines(python);
  const sides = new Map<string, Side>();
  const peers = new Map<string, Peer>();
  const losses: Record<string, number[]> = {};
  const note = (name: string, loss: number): void => void (losses[name] ??= []).push(loss);
  try {
    const messages: Record<string, readonly number[]> = {};
    for (const [name, engine] of Object.entries(engines)) {
      if (name.startsWith("torch")) messages[name] = await protocolSeconds(engine, ours, 7);
      sides.set(name, await Side.open(engine, ours));
    }
    for (const precision of ["fp32", "bf16"]) {
      peers.set(`pytorch-${precision}`, await context.peer(script, { ...peer, precision }));
    }
    context.log(
      `engines: ${script.slice(0, -3)}: all are ready after ${Math.round((performance.now() - start) / 1000)} s`,
    );
    const measured = await context.interleave(
      [
        ...[...sides].map(([name, side]) => ({
          name,
          async measure() {
            const { seconds: took, loss } = await side.measure();
            note(name, loss);
            return took;
          },
        })),
        ...[...peers].map(([name, running]) => ({
          name,
          async measure() {
            const answer = (await running.ask(1)) as { seconds: number[]; loss: number[] };
            for (const loss of answer.loss) note(name, loss);
            return answer.seconds;
          },
        })),
      ],
      { ...counts, seconds: seconds - (performance.now() - start) / 1000 },
    );
    const values: Record<string, Json> = {};
    for (const [name, { median, min, max, samples }] of Object.entries(measured.summaries)) {
      values[name] = {
        ...{ median, min, max, seconds: samples },
        ...{ "loss-first": losses[name]![0]!, "loss-last": losses[name]!.at(-1)! },
      };
    }
    for (const [name, samples] of Object.entries(messages)) {
      const protocol = summarise(samples).median;
      values[`protocol ${name}`] = { seconds: protocol, share: protocol / measured.summaries[name]!.median };
    }
    return {
      values,
      ratios: Object.fromEntries(RATIOS.map(([a, b]) => [`${a}/${b}`, measured.ratio(a, b)])),
      settings: {
        ...settings,
        repetitions: measured.shortened ?? measured.repetitions,
        ...Object.fromEntries([...peers].map(([name, running]) => [name, (running.ready as { ready: Json }).ready])),
      },
    };
  } finally {
    for (const running of peers.values()) await running.close();
    for (const side of sides.values()) await side.close();
  }
}

function ortVersion(): string {
  return (createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string }).version;
}
