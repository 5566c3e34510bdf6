import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";
import { float32, readSafetensors, Rng, writeSafetensors, type Tensor } from "../../base/index.js";
import { Graph } from "../../graph/index.js";
import { python, testWithPython } from "../../../test/helpers/requires.js";
import { largestDifference, numbers, withSession } from "../../../test/helpers/run-graph.js";
import { adamw, clipByGlobalNorm } from "./index.js";

const SHAPES = { w: [5, 3], b: [7], e: [4, 6] } as const;
const STEPS = 25;
const SETTINGS = { steps: STEPS, lr: 0.01, e_rate: 5, clip: 4, weight_decay: 0.1 };

testWithPython("25 steps agree with torch.optim.AdamW and clip_grad_norm_", async () => {
  const rng = Rng.fromSeed(5);
  const random = (dims: readonly number[], size: number): Tensor =>
    float32(
      dims,
      Array.from({ length: dims.reduce((a, b) => a * b) }, () => size * rng.normal()),
    );
  const parameters = Object.fromEntries(Object.entries(SHAPES).map(([name, dims]) => [name, random(dims, 1)]));
  const gradients: Record<string, Tensor> = {};
  for (let step = 0; step < STEPS; step++) {
    // Norms on both sides of the limit.
    for (const [name, dims] of Object.entries(SHAPES))
      gradients[`g/${step}/${name}`] = random(dims, 0.1 + rng.uniform());
  }

  const graph = new Graph("step");
  const trained = Object.fromEntries(
    Object.entries(SHAPES).map(([name, shape]) => [
      name,
      { parameter: graph.state(name, "float32", shape), gradient: graph.input(name + ".g", "float32", shape) },
    ]),
  );
  const clipping = clipByGlobalNorm(
    Object.values(trained).map(({ gradient }) => gradient),
    SETTINGS.clip,
  );
  const optimizer = adamw({
    betas: [0.9, 0.999],
    eps: 1e-8,
    weightDecay: SETTINGS.weight_decay,
    decays: (_, shape) => shape.length > 1,
    rateOf: (name) => (name === "e" ? SETTINGS.e_rate : 1),
  });
  optimizer.update(graph, trained, graph.input("lr", "float32", []), clipping.scale);
  graph.output("norm", clipping.norm);

  const folder = await mkdtemp(join(tmpdir(), "lodestone-adamw-"));
  try {
    const [input, output] = [join(folder, "in.safetensors"), join(folder, "out.safetensors")];
    const metadata = Object.fromEntries(Object.entries(SETTINGS).map(([name, value]) => [name, String(value)]));
    await writeSafetensors(input, { ...parameters, ...gradients }, metadata);
    await promisify(execFile)(python!, [fileURLToPath(new URL("adamw.py", import.meta.url)), input, output]);
    const { tensors: theirs } = await readSafetensors(output);

    for (const engine of ["reference", "onnxruntime"] as const) {
      const state = { ...parameters, ...optimizer.init(SHAPES) };
      await withSession(
        { step: graph },
        state,
        async (session) => {
          const norms: number[] = [];
          for (let step = 0; step < STEPS; step++) {
            const batch: Record<string, Tensor> = { lr: float32([], [SETTINGS.lr]) };
            for (const name of Object.keys(SHAPES)) batch[`${name}.g`] = gradients[`g/${step}/${name}`]!;
            norms.push(...numbers((await session.run("step", batch))["norm"]));
          }
          const ours = await session.read();
          expect(largestDifference(norms, numbers(theirs["norms"])), engine).toBeLessThan(1e-5);
          expect(Math.min(...norms)).toBeLessThan(SETTINGS.clip);
          expect(Math.max(...norms)).toBeGreaterThan(SETTINGS.clip);
          for (const name of Object.keys(SHAPES)) {
            const difference = largestDifference(numbers(ours[name]), numbers(theirs[name]));
            expect(difference, `${engine}, ${name}`).toBeLessThan(2e-6);
          }
        },
        engine,
      );
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
