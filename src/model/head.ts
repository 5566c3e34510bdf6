import { linearCrossEntropy, type Value } from "../graph/index.js";
import type { Parameters } from "./parameter-values.js";

/** Per masked token, float32 [M]. */
export interface TokenLosses {
  /** -log p(label). */
  readonly loss: Value;
  /** 1 where no token has a larger logit than the label, else 0. */
  readonly correct: Value;
}

/**
 * The masked-language-model head, tied to the token embedding, without bias: logits = states wte', and their
 * cross-entropy. One op, because the gradient then needs no pass over the [M, V] logits.
 *
 * @param states float32 [M, H], after `ln_f`
 * @param labels int32 [M]
 */
export function tokenLosses(states: Value, labels: Value, parameters: Parameters): TokenLosses {
  return linearCrossEntropy(states, parameters.get("wte.weight"), labels);
}
