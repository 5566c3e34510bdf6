import { add, div, maximum, reduceSum, sqrt, square, type Value } from "../../graph/index.js";

/** @see clipByGlobalNorm */
export interface Clipping {
  /** The L2 norm of all gradients together, before clipping; float32 scalar. */
  readonly norm: Value;
  /** What every gradient is to be multiplied by: at most 1. Undefined where nothing clips. */
  readonly scale: Value | undefined;
}

/**
 * Clipping by the global norm (Pascanu et al. 2013), as PyTorch's `clip_grad_norm_`: gradients g become
 * g * min(1, max / norm), here max / maximum(norm, max). The factor is returned, not applied: the optimizer folds it
 * into constants that it multiplies by anyway.
 *
 * @param max the largest norm; null measures without clipping
 */
export function clipByGlobalNorm(gradients: readonly Value[], max: number | null): Clipping {
  const [first, ...rest] = gradients.map((gradient) => reduceSum(square(gradient)));
  if (first === undefined) throw new RangeError("clipByGlobalNorm: expected at least one gradient, got none");
  const norm = sqrt(rest.reduce((sum, part) => add(sum, part), first));
  norm.graph.fusions.push({ op: "GlobalNorm", inputs: gradients, outputs: [norm], attributes: {} });
  return { norm, scale: max === null ? undefined : div(norm.graph.constant(max), maximum(norm, max)) };
}
