/**
 * `node --import tsx bench/stage2/memory.ts [--pairs N] [--chunk N] [--threads N] [--runs K] [--peer] [--peer-pairs N] [--json]`:
 * one step of stage 2 on ONNX Runtime, in this process, and the most memory that it had. `--json` writes `results/stage2/memory.json`.
 * With `--runs` every program really runs K times only and its last answer is handed on after that: the arrays, the
 * programs' own memory and so the peak are those of the whole step, its time and its loss are not. `--peer` has
 * sentence-transformers' cached loss make a step of `--peer-pairs` pairs (as many as ours) in a process of its own and tells its
 * peak.
 */
import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { float32, int32, Rng, writeFileAtomic, type Tensor } from "../../src/base/index.js";
import { createEngine } from "../../src/engine/index.js";
import { initialise } from "../../src/model/index.js";
import { blockRows, initialState } from "../../src/pretrain/index.js";
import type { TrainSession } from "../../src/pretrain/types.js";
import { LEARNING_RATE, UPDATE } from "../engines/sides.js";
import { describeCommit, describeMachine, Peer } from "../harness/index.js";
import { roundNumbers } from "../harness/run-bench.js";
import { setupPeers } from "../peers.js";
import { CODE_LENGTH, MODEL, peerJob, stage2Job, TEXT_LENGTH } from "./job.js";

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "8192" },
    chunk: { type: "string", default: "64" },
    threads: { type: "string", default: String(availableParallelism()) },
    runs: { type: "string" },
    peer: { type: "boolean", default: false },
    "peer-pairs": { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const [pairs, chunk, threads] = [Number(values.pairs), Number(values.chunk), Number(values.threads)];

/** Fresh arrays, as a run gives them. */
function copyOf(outputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => [name, { ...value, data: value.data.slice() } as Tensor]),
  );
}

/** The process's high-water mark, GiB. */
function peak(): number {
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))![1];
  return Number(kilobytes) / 2 ** 20;
}

/** The peer's high-water mark after a step. */
async function peerPeak(pairs: number): Promise<Record<string, number>> {
  const python = await setupPeers((line) => console.error(line));
  const peer = await Peer.start(python, "stage2_sentence_transformers.py", peerJob(pairs, threads));
  try {
    const answer = (await peer.ask({ pairs, chunk, steps: 1 })) as { peak: number };
    return { pairs, chunk, "peak-gib": answer.peak / 2 ** 30 };
  } finally {
    await peer.close();
  }
}

const theirs = values.peer ? { "sentence-transformers": await peerPeak(Number(values["peer-pairs"] ?? pairs)) } : {};
const job = stage2Job(pairs, chunk, threads);
const state = { ...initialState(MODEL, initialise(MODEL, Rng.fromSeed(1)), UPDATE, "stage2"), ...job.step.scratch };
const session = await createEngine("onnxruntime").open(job.step.programs, state, { threads });
const limit = values.runs === undefined ? Infinity : Number(values.runs);
const last: Record<string, Record<string, Tensor>> = {};
const phases: Record<string, { runs: number; seconds: number; peak: number }> = {};
const watched: TrainSession = {
  async run(program, batch) {
    const phase = (phases[program] ??= { runs: 0, seconds: 0, peak: 0 });
    if (phase.runs >= limit) return copyOf(last[program]!);
    const start = performance.now();
    const outputs = await session.run(program, batch);
    if (phase.runs + 1 === limit) last[program] = outputs;
    phase.runs += 1;
    phase.seconds += (performance.now() - start) / 1000;
    phase.peak = peak();
    if (phase.runs % 16 === 1) console.error(`${program} ${phase.runs}: ${phase.peak.toFixed(2)} GiB at most so far`);
    return outputs;
  },
  read: (names) => session.read(names),
};
const loaded = peak();
const start = performance.now();
const outputs = await job.step.run(watched, {
  ...job.batch,
  dropout_key: int32([2], [1, 2]),
  learning_rate: float32([], [LEARNING_RATE]),
});
const result = roundNumbers({
  name: "stage2-memory",
  date: new Date().toISOString(),
  machine: describeMachine(),
  commit: describeCommit(),
  settings: {
    ...{ model: "tiny", engine: "onnxruntime", pairs, chunk, threads, dropout: MODEL.dropout },
    ...{ "anchors-at-a-time": blockRows(pairs), "text-tokens": TEXT_LENGTH, "code-tokens": CODE_LENGTH },
  },
  "peak-gib": peak(),
  ...theirs,
  "loaded-gib": loaded,
  ...(limit === Infinity
    ? { seconds: (performance.now() - start) / 1000, loss: Number(outputs["loss"]!.data[0]) }
    : { "runs-of-each-program": limit }),
  /** Other work on the machine at the end: seconds say little where it is above the cores. */
  load: loadavg()[0]!,
  phases,
});
const text = `${JSON.stringify(result, undefined, 2)}\n`;
if (values.json)
  await writeFileAtomic(fileURLToPath(new URL("../../results/stage2/memory.json", import.meta.url)), text);
console.log(text);
process.exit(0);
