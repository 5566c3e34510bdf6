import { monitorEventLoopDelay } from "node:perf_hooks";
import { memoryUsage } from "node:process";
import { afterEach, expect, test } from "vitest";
import { Rng, float32, zeros, type Tensor } from "../../base/index.js";
import { Graph, add, gradients, matmul, mul, reduceMean, square, sub, tanh, type Value } from "../../graph/index.js";
import { createEngine } from "../create-engine.js";
import type { EngineSession } from "../engine.js";

let session: EngineSession | undefined;
afterEach(() => session?.close());

/** Two layers [width, width] that learn to give y for x, by gradient descent with momentum. */
function training(width: number): { graph: Graph; state: Record<string, Tensor> } {
  const graph = new Graph("train");
  const names = ["a", "b"];
  const weights = names.map((name) => graph.state(name, "float32", [width, width]));
  const [x, y] = ["x", "y"].map((name) => graph.input(name, "float32", ["B", width])) as [Value, Value];
  const loss = reduceMean(square(sub(matmul(tanh(matmul(x, weights[0]!)), weights[1]!), y)));
  gradients(loss, weights).forEach((gradient, index) => {
    const name = names[index]!;
    const next = add(mul(graph.state(`momentum/${name}`, "float32", [width, width]), 0.9), gradient);
    graph.update(`momentum/${name}`, next);
    graph.update(name, sub(weights[index]!, mul(next, 0.5)));
  });
  graph.output("loss", loss);
  const rng = Rng.fromSeed(1);
  const drawn = (): Tensor =>
    float32(
      [width, width],
      Float32Array.from({ length: width ** 2 }, () => 0.05 * rng.normal()),
    );
  const still = zeros("float32", [width, width]);
  return { graph, state: { a: drawn(), b: drawn(), "momentum/a": still, "momentum/b": still } };
}

const batchOf = (rng: Rng, rows: number, width: number): Record<string, Tensor> =>
  Object.fromEntries(
    ["x", "y"].map((name) => [
      name,
      float32(
        [rows, width],
        Float32Array.from({ length: rows * width }, () => rng.normal()),
      ),
    ]),
  );

test("1,000 steps do not grow the resident size", async () => {
  const width = 512; // 4 MB of state, all of it new after every step: 4 GB in all.
  const { graph, state } = training(width);
  session = await createEngine("onnxruntime").open({ train: graph }, state, { threads: 1 });
  const rng = Rng.fromSeed(2);
  const batch = batchOf(rng, 16, width);
  const sizes: number[] = [];
  let loss = Number.NaN;
  for (let step = 0; step < 1200; step++) {
    const result = await session.run("train", batch);
    loss = Number(result["loss"]!.data[0]);
    if (step % 100 === 99) sizes.push(memoryUsage.rss());
  }
  expect(loss).toBeLessThan(0.9);
  // The highest of the last 600 steps against the highest of the 400 before them; 200 steps are warm-up.
  const [before, after] = [Math.max(...sizes.slice(2, 6)), Math.max(...sizes.slice(6))];
  expect(after - before).toBeLessThan(32 * 2 ** 20);
});

test("the caller's thread stays responsive while a step of seconds runs", async () => {
  const width = 1024;
  const { graph, state } = training(width);
  session = await createEngine("onnxruntime").open({ train: graph }, state, { threads: 1 });
  const batch = batchOf(Rng.fromSeed(3), 2048, width);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 10);
  const start = performance.now();
  const running = Promise.all(Array.from({ length: 6 }, () => session!.run("train", batch)));
  // The sending itself copies the batches; what is measured is the time of the runs.
  await new Promise((resolve) => setTimeout(resolve, 50));
  delay.enable();
  await running;
  delay.disable();
  clearInterval(timer);
  const milliseconds = performance.now() - start;
  expect(milliseconds).toBeGreaterThan(300);
  // Blocked, the loop would stand still for a whole run; on a busy machine it may be late, but not by that much.
  expect(ticks).toBeGreaterThan(milliseconds / 10 / 4);
  expect(delay.percentile(95) / 1e6).toBeLessThan(100);
});

test("closing in the middle of a run ends the thread, and the process may go on", async () => {
  const width = 1024;
  const { graph, state } = training(width);
  for (let repeat = 0; repeat < 5; repeat++) {
    const opened = await createEngine("onnxruntime").open({ train: graph }, state, { threads: 2 });
    const batch = batchOf(Rng.fromSeed(4), 512, width);
    const running = opened.run("train", batch).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 20 * repeat));
    await opened.close();
    const outcome = await running;
    expect(outcome instanceof Error ? (outcome as { code?: string }).code : "done").toMatch(/engine\.closed|done/);
  }
});
