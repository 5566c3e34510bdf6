import { cast, equal, mul, reduceSum, type Value } from "../../graph/index.js";
import type { TokenLosses } from "../../model/index.js";

/** Places of the loss; unused capacity has weight 0. */
export interface MaskedTokens {
  /** The head's losses and hits, float32 [M]. */
  readonly tokens: TokenLosses;
  /** float32 [M]: 1 / (masked tokens of the global batch), or 0. */
  readonly weights: Value;
  /** int32 [M]: 0 for random masking (R), 1 for deobfuscation (D). Splits the metrics, not the loss. */
  readonly objective: Value;
}

/** Scalars, float32. The four `*_r`, `*_d` are weighted sums over the places of one objective. */
export interface MaskedTokensLoss {
  readonly loss: Value;
  readonly metrics: Readonly<Record<"loss_r" | "loss_d" | "correct_r" | "correct_d" | "weight_r" | "weight_d", Value>>;
}

/**
 * Cross-entropy over masked positions only, the mean over all masked tokens of the global batch, as in the paper:
 * sum of weight * -log softmax(logits)[label]. Gradient accumulation and ranks add up, because the weights add up to 1
 * over the global batch and not over the part at hand.
 *
 * Metrics are weighted sums too: the mean loss of objective R is `loss_r / weight_r`, its accuracy
 * `correct_r / weight_r` (a tie for the largest logit counts as correct); and `loss_r + loss_d` is the loss.
 */
export function maskedTokensLoss({ tokens, weights, objective }: MaskedTokens): MaskedTokensLoss {
  const weighted = mul(tokens.loss, weights); // [M]
  const correct = mul(tokens.correct, weights); // [M]
  const deobfuscated = cast(objective, "float32"); // [M]
  const random = cast(equal(objective, 0), "float32");
  const over = (part: Value, values: Value): Value => reduceSum(mul(part, values));
  return {
    loss: reduceSum(weighted),
    metrics: {
      loss_r: over(random, weighted),
      loss_d: over(deobfuscated, weighted),
      correct_r: over(random, correct),
      correct_d: over(deobfuscated, correct),
      weight_r: over(random, weights),
      weight_d: over(deobfuscated, weights),
    },
  };
}
