import { float32, Rng } from "../../src/base/index.js";
import type { Engine } from "../../src/engine/index.js";
import { add, Graph, matmul, reduceSum } from "../../src/graph/index.js";
import type { ModelConfig } from "../../src/model/index.js";

/** Floating-point operations of one update: matrix products of the forward pass, and twice those of the backward one. */
export function updateFlop(
  { layers, width, vocabSize }: ModelConfig,
  rows: number,
  length: number,
  masked: number,
): number {
  const tokens = rows * length;
  const block = 24 * width * width + 4 * length * width; // A token's: projections and feed-forward; scores and their use.
  return 3 * (tokens * layers * block + 2 * masked * width * vocabSize);
}

const SIDE = 1536;

/** What the machine's matrix products reach at best: FLOP/s of the largest of some square products in ONNX Runtime. */
export async function sgemmPeak(engine: Engine, threads: number): Promise<number> {
  const graph = new Graph("sgemm");
  const a = graph.state("a", "float32", [SIDE, SIDE]);
  const shift = graph.input("shift", "float32", []);
  graph.output("sum", reduceSum(matmul(add(a, shift), graph.state("b", "float32", [SIDE, SIDE]))));
  const rng = Rng.fromSeed(1);
  const square = () =>
    float32(
      [SIDE, SIDE],
      Array.from({ length: SIDE * SIDE }, () => rng.uniform()),
    );
  const session = await engine.open({ sgemm: graph }, { a: square(), b: square() }, { threads });
  try {
    let best = Infinity;
    for (let i = 0; i < 8; i++) {
      const started = performance.now();
      await session.run("sgemm", { shift: float32([], [i / 100]) });
      best = Math.min(best, (performance.now() - started) / 1000);
    }
    return (2 * SIDE ** 3) / best;
  } finally {
    await session.close();
  }
}
