import { add, layerNorm, matmul, type Value } from "../graph/index.js";
import type { ModelConfig } from "./config.js";
import type { Parameters } from "./parameter-values.js";

/** x W + b with `NAME.weight` [in, out] and `NAME.bias` [out]: [R, in] -> [R, out]. */
export function linear(x: Value, parameters: Parameters, name: string): Value {
  return add(matmul(x, parameters.get(`${name}.weight`)), parameters.get(`${name}.bias`));
}

/** LayerNorm over the width with `NAME.weight` and `NAME.bias` [H]. */
export function norm(x: Value, parameters: Parameters, name: string, config: ModelConfig): Value {
  return layerNorm(x, parameters.get(`${name}.weight`), parameters.get(`${name}.bias`), config.layerNormEps);
}
