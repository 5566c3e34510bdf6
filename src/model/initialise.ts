import { elementCount, tensor, type Rng, type Tensor } from "../base/index.js";
import type { ModelConfig } from "./config.js";
import { parameterShapes } from "./parameters.js";

/**
 * GPT-2's initialisation (Radford et al. 2019, section 2.3): weights normal with `initStd` (0.02), LayerNorm 1 and 0,
 * biases 0; the output projections of both residual branches scaled by `1 / sqrt(2 layers)`, or 0 with
 * `residualInit: "zero"`; `contextInit` above 0 adds to attention's. Pooling parameters start at 0: every token weighs the same, so pooling starts as the mean
 * (up to length, which cosine similarity ignores).
 *
 * Every parameter has its own stream, `rng.split("init", name)`: adding one does not change the others.
 *
 * @returns float32 tensors by parameter name, in the order of {@link parameterShapes}
 */
export function initialise(config: ModelConfig, rng: Rng): Record<string, Tensor<"float32">> {
  const parameters: Record<string, Tensor<"float32">> = {};
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    const data = new Float32Array(elementCount(shape));
    if (/(^|\.)ln_\w+\.weight$/.test(name)) data.fill(1);
    else fillNormal(data, standardDeviation(name, config), rng.split("init", name));
    if (config.contextInit > 0) addIdentity(data, name, config);
    parameters[name] = tensor("float32", shape, data);
  }
  return parameters;
}

/** The identity of width H, [in, out], onto the value part of `c_attn` or, `contextInit` times, onto attention's output. */
function addIdentity(data: Float32Array, name: string, { width, contextInit }: ModelConfig): void {
  if (name.endsWith(".attn.c_attn.weight")) {
    for (let i = 0; i < width; i++) data[i * 3 * width + 2 * width + i]! += 1;
  } else if (name.endsWith(".attn.c_proj.weight")) {
    for (let i = 0; i < width; i++) data[i * width + i]! += contextInit;
  }
}

/** 0 stands for a parameter that starts at zero. */
function standardDeviation(name: string, config: ModelConfig): number {
  if (name.endsWith(".bias") || name.startsWith("pool.")) return 0;
  if (!name.endsWith(".c_proj.weight")) return config.initStd;
  return config.residualInit === "zero" ? 0 : config.initStd / Math.sqrt(2 * config.layers);
}

function fillNormal(data: Float32Array, std: number, rng: Rng): void {
  if (std === 0) return;
  for (let i = 0; i < data.length; i++) data[i] = std * rng.normal();
}
