import { matmul, type Value } from "../graph/index.js";
import type { Parameters } from "./parameter-values.js";

/** The masked-language-model head, tied to the token embedding, without bias: states [M, H] -> logits [M, V]. */
export function tokenLogits(states: Value, parameters: Parameters): Value {
  return matmul(states, parameters.get("wte.weight"), { transposeB: true });
}
