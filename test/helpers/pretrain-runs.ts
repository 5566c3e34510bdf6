import { createEngine } from "../../src/engine/index.js";
import { sizeWith } from "../../src/model/index.js";
import { runStage1, runStage2, type TrainEvent } from "../../src/pretrain/index.js";
import { ToyEngine, toyIdentifiers, toyTokenizer } from "./pretrain.js";

/** A small training run on made-up documents and pairs, dropout 0.1. */
export interface SmallRun {
  readonly stage: "stage1" | "stage2";
  readonly out: string;
  readonly engine: "toy" | "onnxruntime";
  readonly steps: number;
  readonly everySteps: number | null;
  /** Default 2. */
  readonly threads?: number;
  /** Default 0.1. */
  readonly dropout?: number;
  /** Default 32. */
  readonly width?: number;
}

const WORDS = ["alpha", "beta", "gamma", "delta", "total", "count", "index", "value", "left", "right"];
const word = (i: number): string => WORDS[(i * i + 3 * i) % WORDS.length]!;

/** Documents of about 10 to 300 tokens, with names that repeat. */
async function* documents(): AsyncGenerator<{ lang: "c"; text: string }> {
  for (let i = 0; i < 60; i++) {
    const line = (k: number): string => `  v_${word(i + k)} = v_${word(k)} + ${word(i * k)}(${k}); // ${word(k + 1)}\n`;
    yield {
      lang: "c",
      text: `int v_f${i}(int v_n) {\n${Array.from({ length: 1 + (i % 20) }, (_, k) => line(k)).join("")}}`,
    };
  }
}

async function* pairs(): AsyncGenerator<{ summary: string; code: string; body: string }> {
  for (let i = 0; i < 90; i++) {
    const body = `${word(i)} += ${word(i + 1)} * ${i};\n`.repeat(1 + (i % 4));
    yield {
      summary: `Adds the ${word(i)} of ${word(i + 2)} to number ${i}`,
      code: `int f${i}(int n) {\n${body}return ${i}; }`,
      body,
    };
  }
}

/** Starts it, or goes on with it. */
export function startSmallRun(run: SmallRun, signal?: AbortSignal): AsyncGenerator<TrainEvent> {
  const { out, steps, everySteps, threads = 2, dropout = 0.1, width = 32 } = run;
  const model = sizeWith("nano", { vocabSize: 1000, width, heads: 2, layers: 2, maxLength: 64, dropout });
  const checkpoints = { everySteps, everySeconds: null };
  const engine = run.engine === "toy" ? new ToyEngine() : createEngine("onnxruntime");
  const common = {
    model,
    tokenizer: toyTokenizer,
    out,
    engine,
    engineSettings: { threads },
    ...(signal === undefined ? {} : { signal }),
  };
  const optimizer = { learningRate: 1e-3, warmup: 3 };
  return run.stage === "stage1"
    ? runStage1({
        ...common,
        config: { steps, batch: 4, length: 48, optimizer, checkpoints },
        identifiers: toyIdentifiers,
        corpus: { hash: "documents", documents },
      })
    : runStage2({
        ...common,
        config: { steps, batch: 8, textLength: 24, codeLength: 48, optimizer, checkpoints },
        corpus: { hash: "pairs", pairs },
      });
}
