import type { Tensor } from "../../src/base/index.js";
import { createEngine, type EngineSession } from "../../src/engine/index.js";
import type { Graph } from "../../src/graph/index.js";

type Tensors = Readonly<Record<string, Tensor>>;
/** Engines that every machine has. */
export type EngineName = "reference" | "onnxruntime";

/** Opens programs over one state, hands the session to `use` and closes it. */
export async function withSession<T>(
  programs: Readonly<Record<string, Graph>>,
  state: Tensors,
  use: (session: EngineSession) => Promise<T>,
  engine: EngineName = "reference",
): Promise<T> {
  const session = await createEngine(engine).open(programs, state, { threads: 1 });
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

/** Runs one graph once. */
export function runGraph(
  graph: Graph,
  batch: Tensors,
  state: Tensors = {},
  engine: EngineName = "reference",
): Promise<Record<string, Tensor>> {
  return withSession({ main: graph }, state, (session) => session.run("main", batch), engine);
}

/** A tensor's elements as plain numbers. */
export function numbers(value: Tensor | undefined): number[] {
  if (value === undefined) throw new Error("numbers: expected a tensor, got nothing");
  return Array.from(value.data as ArrayLike<number | bigint>, Number);
}

/** The largest absolute difference of two equally long lists. */
export function largestDifference(left: readonly number[], right: readonly number[]): number {
  if (left.length !== right.length) throw new Error(`expected equal lengths, got ${left.length} and ${right.length}`);
  return left.reduce((largest, x, i) => {
    const difference = Math.abs(x - right[i]!);
    return difference <= largest ? largest : difference; // NaN wins
  }, 0);
}
