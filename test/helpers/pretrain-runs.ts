import { createEngine } from "../../src/engine/index.js";
import { sizeWith } from "../../src/model/index.js";
import {
  packStage,
  runStage1,
  runStage2,
  stage1Plan,
  stage2Plan,
  type PackedEvent,
  type PackOptions,
  type Stage2ConfigInput,
  type TrainEngine,
  type TrainEvent,
} from "../../src/pretrain/index.js";
import { ToyEngine, toyIdentifiers, toyTokenizer } from "./pretrain.js";
import { python } from "./requires.js";

/** A small training run on made-up documents and pairs, dropout 0.1. */
export interface SmallRun {
  readonly stage: "stage1" | "stage2";
  readonly out: string;
  readonly engine: "toy" | "onnxruntime" | "torch" | TrainEngine;
  readonly steps: number;
  readonly everySteps: number | null;
  /** Default 2. */
  readonly threads?: number;
  /** Default 0.1. */
  readonly dropout?: number;
  /** Default 32. */
  readonly width?: number;
  /** Rows or pairs at a time; default all. */
  readonly chunk?: number | null;
  /** Stage 2's loss. */
  readonly loss?: Stage2ConfigInput["loss"];
}

const WORDS = ["alpha", "beta", "gamma", "delta", "total", "count", "index", "value", "left", "right"];
const word = (i: number): string => WORDS[(i * i + 3 * i) % WORDS.length]!;

/** Documents of about 10 to 300 tokens, with names that repeat. */
export async function* documents(): AsyncGenerator<{ lang: "c"; text: string }> {
  for (let i = 0; i < 60; i++) {
    const line = (k: number): string => `  v_${word(i + k)} = v_${word(k)} + ${word(i * k)}(${k}); // ${word(k + 1)}\n`;
    yield {
      lang: "c",
      text: `int v_f${i}(int v_n) {\n${Array.from({ length: 1 + (i % 20) }, (_, k) => line(k)).join("")}}`,
    };
  }
}

export async function* pairs(): AsyncGenerator<{ summary: string; code: string; body: string }> {
  for (let i = 0; i < 90; i++) {
    const body = `${word(i)} += ${word(i + 1)} * ${i};\n`.repeat(1 + (i % 4));
    yield {
      summary: `Adds the ${word(i)} of ${word(i + 2)} to number ${i}`,
      code: `int f${i}(int n) {\n${body}return ${i}; }`,
      body,
    };
  }
}

/** What a {@link SmallRun} is made of. */
function smallRun({ stage, steps, everySteps, dropout = 0.1, width = 32, chunk = null, loss }: SmallPlan) {
  const model = sizeWith("nano", { vocabSize: 1000, width, heads: 2, layers: 2, maxLength: 64, dropout });
  const common = { model, tokenizer: toyTokenizer };
  const training = {
    ...{ steps, chunk, optimizer: { learningRate: 1e-3, warmup: 3 } },
    checkpoints: { everySteps, everySeconds: null },
  };
  return stage === "stage1"
    ? {
        ...{ stage, ...common, identifiers: toyIdentifiers, corpus: { hash: "documents", documents } },
        config: { ...training, batch: 4, length: 48 },
      }
    : {
        ...{ stage, ...common, corpus: { hash: "pairs", pairs } },
        config: { ...training, batch: 8, textLength: 24, codeLength: 48, ...(loss && { loss }) },
      };
}

type SmallPlan = Pick<SmallRun, "stage" | "steps" | "everySteps" | "dropout" | "width" | "chunk" | "loss">;

/** The engine that a small run names. */
function engineOf({ engine }: SmallRun): TrainEngine {
  if (typeof engine === "object") return engine;
  if (engine === "toy") return new ToyEngine();
  // The peers' Python: there need not be an installed one.
  return createEngine(engine, engine === "torch" && python !== undefined ? { python, device: "cpu" } : {});
}

/** Starts it, or goes on with it. */
export function startSmallRun(run: SmallRun, signal?: AbortSignal): AsyncGenerator<TrainEvent> {
  const place = {
    ...{ out: run.out, engine: engineOf(run), engineSettings: { threads: run.threads ?? 2 } },
    ...(signal === undefined ? {} : { signal }),
  };
  const small = smallRun(run);
  return small.stage === "stage1" ? runStage1({ ...small, ...place }) : runStage2({ ...small, ...place });
}

/** Packs it. */
export async function* packSmallRun(run: SmallPlan, options: PackOptions): AsyncGenerator<TrainEvent | PackedEvent> {
  const small = smallRun(run);
  if (small.stage === "stage1") yield* packStage(await stage1Plan(small), options);
  else yield* packStage(await stage2Plan(small), options);
}
