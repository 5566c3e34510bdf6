import { sha256, tensor, type Tensor } from "../../src/base/index.js";
import type { IdentifierSpans, PretrainTokenizer, TrainEngine } from "../../src/pretrain/index.js";
import { tokenisePairs, type PairTokenOptions, type PairTokens } from "../../src/pretrain/pair-tokens.js";
import type { TrainingPair } from "../../src/pretrain/types.js";

/** What pretraining tests feed: a tokenizer, documents and an engine that can be worked out by hand. */

/** Words, single spaces and marks of at most four letters each; ids are hashes below 1000, 0-2 are special. */
export const toyTokenizer: PretrainTokenizer = {
  vocabSize: 1000,
  padId: 0,
  eosId: 1,
  maskId: 2,
  hash: "toy",
  encodeIds: (texts) => Promise.resolve(texts.map(toyIds)),
  encodeBatchForModel: (texts, maxLength) =>
    Promise.resolve(texts.map((text) => Int32Array.from([...toyIds(text).slice(0, maxLength - 1), 1]))),
};

/** Some pairs, tokenised by {@link toyTokenizer} unless the options name another. */
export async function tokenised(
  pairs: readonly TrainingPair[],
  options: Omit<PairTokenOptions, "tokenizer"> & Partial<Pick<PairTokenOptions, "tokenizer">>,
): Promise<PairTokens> {
  const running = tokenisePairs(stream(pairs), { tokenizer: toyTokenizer, ...options });
  for (;;) {
    const { done, value } = await running.next();
    if (done === true) return value;
  }
}

/** Items one after the other. */
export async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** The ids of a text under {@link toyTokenizer}. */
export function toyIds(text: string): Int32Array {
  const pieces = text.match(/\w{1,4}|[^\w]/g) ?? [];
  return Int32Array.from(pieces, (piece) => 3 + (Number.parseInt(sha256(piece).slice(0, 8), 16) % 997));
}

/** Names that begin with `v` are defined, everywhere. */
export function toyIdentifiers(text: string): IdentifierSpans[] {
  const spans = new Map<string, [number, number][]>();
  for (const match of text.matchAll(/\bv\w*/g)) {
    const found = spans.get(match[0]) ?? [];
    spans.set(match[0], found);
    found.push([match.index, match.index + match[0].length]);
  }
  return [...spans].map(([name, found]) => ({ name, spans: found }));
}

/**
 * A model that can be trusted: one state vector `w`, moved by every element of every batch tensor. Any difference in
 * what it is fed, in what order, shows in the state for good.
 */
export class ToySession {
  constructor(
    private w: Float32Array,
    private readonly lossAt: (step: number) => number = (step) => 10 / (step + 1),
    private steps = 0,
  ) {}

  static resume(state: Readonly<Record<string, Tensor>>): ToySession {
    return new ToySession((state["w"]!.data as Float32Array).slice(), undefined, Number(state["step"]!.data[0]));
  }

  readonly batches: Readonly<Record<string, Tensor>>[] = [];

  async run(_program: string, batch: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    this.batches.push(batch);
    await new Promise((resolve) => setImmediate(resolve));
    let hash = 17;
    for (const [name, { data }] of Object.entries(batch).sort(([a], [b]) => (a < b ? -1 : 1))) {
      hash = Math.imul(hash ^ name.length, 16777619);
      for (const value of data) hash = Math.imul(hash ^ Math.round(Number(value) * 1e6), 16777619);
    }
    this.w = this.w.map((x, i) => Math.fround(x * 0.9 + ((hash >>> i) & 1023) / 1024));
    this.steps += 1;
    const loss = this.lossAt(this.steps - 1);
    return { loss: tensor("float32", [], Float32Array.of(loss)), grad_norm: tensor("float32", [], Float32Array.of(1)) };
  }

  read(): Promise<Record<string, Tensor>> {
    return Promise.resolve({
      w: tensor("float32", [this.w.length], this.w.slice()),
      step: tensor("int32", [], Int32Array.of(this.steps)),
    });
  }
}

/** An engine of {@link ToySession}s: what is fed moves the first eight numbers of `wte.weight`, and nothing else. */
export class ToyEngine implements TrainEngine {
  opened = 0;
  closed = 0;

  constructor(private readonly lossAt?: (step: number) => number) {}

  open(_programs: unknown, state: Readonly<Record<string, Tensor>>): ReturnType<TrainEngine["open"]> {
    this.opened += 1;
    const table = state["wte.weight"] as Tensor<"float32">;
    const session = new ToySession(table.data.slice(0, 8), this.lossAt, Number(state["step"]!.data[0]));
    return Promise.resolve({
      run: (program, batch) => session.run(program, batch),
      read: async () => {
        const { w, step } = await session.read();
        const data = table.data.slice();
        data.set(w!.data as Float32Array);
        return {
          ...state,
          "wte.weight": tensor("float32", table.dims, data),
          step: tensor("float32", [], Float32Array.of(Number(step!.data[0]))),
        };
      },
      close: () => {
        this.closed += 1;
        return Promise.resolve();
      },
    });
  }
}

/** A line of metrics but for what the clock and the machine decide, which no two runs share. */
export function withoutClock(line: Readonly<Record<string, number>>): Record<string, number> {
  const clock = new Set(["seconds", "engine_busy", "tokens_per_second", "memory_gb", "evaluation_seconds"]);
  return Object.fromEntries(Object.entries(line).filter(([name]) => !clock.has(name)));
}
