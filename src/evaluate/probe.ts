import type { Rng } from "../base/index.js";
import { rowsOf, type Features } from "./features.js";
import { logSumExp, product, type LinearClassifier } from "./logistic.js";

export interface ProbeOptions {
  readonly classes: number;
  /** Decides initial weights and the order of the rows. */
  readonly rng: Rng;
  /** Defaults are the paper's: rate 1e-3, batches of 32, 10 epochs. */
  readonly learningRate?: number;
  readonly batch?: number;
  readonly epochs?: number;
  /** Decoupled, not on the intercepts; default 0.01, which is AdamW's usual one (the paper does not say). */
  readonly weightDecay?: number;
}

/**
 * The paper's linear head on a frozen encoder: cross-entropy, AdamW (Loshchilov and Hutter, 2019; betas 0.9 and 0.999,
 * epsilon 1e-8), learning rate falling linearly to 0 over all steps, weights drawn uniformly from +-1/sqrt(width).
 *
 * It does not run to a minimum: what it reaches in those few steps depends on the scale of the features and on the seed,
 * hence several seeds, beside {@link logisticRegression}, which depends on neither.
 */
export function linearProbe(input: Features, labels: ArrayLike<number>, options: ProbeOptions): LinearClassifier {
  const { classes, rng, learningRate = 1e-3, batch = 32, epochs = 10, weightDecay = 0.01 } = options;
  const { data, width } = input;
  const rows = rowsOf(input);
  const size = classes * width;
  // One flat vector [classes * width weights, classes intercepts], as Adam treats all alike.
  const bound = 1 / Math.sqrt(width);
  const initial = rng.split("probe", "init");
  const x = Float64Array.from({ length: size + classes }, () => (2 * initial.uniform() - 1) * bound);
  const gradient = new Float64Array(x.length);
  const first = new Float64Array(x.length);
  const second = new Float64Array(x.length);
  const logits = new Float64Array(classes);
  const steps = epochs * Math.ceil(rows / batch);
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = rng.split("probe", "order", epoch).permutation(rows);
    for (let from = 0; from < rows; from += batch) {
      const chosen = order.subarray(from, from + batch);
      gradient.fill(0);
      for (const row of chosen) {
        for (let c = 0; c < classes; c++) logits[c] = x[size + c]! + product(x, c * width, data, row * width, width);
        const norm = logSumExp(logits);
        for (let c = 0; c < classes; c++) {
          const error = (Math.exp(logits[c]! - norm) - (labels[row] === c ? 1 : 0)) / chosen.length;
          gradient[size + c]! += error;
          for (let j = 0; j < width; j++) gradient[c * width + j]! += error * data[row * width + j]!;
        }
      }
      const rate = learningRate * (1 - step / steps);
      step += 1;
      const [correct1, correct2] = [1 - 0.9 ** step, 1 - 0.999 ** step];
      for (let i = 0; i < x.length; i++) {
        const g = gradient[i]!;
        first[i] = 0.9 * first[i]! + 0.1 * g;
        second[i] = 0.999 * second[i]! + 0.001 * g * g;
        const decay = i < size ? weightDecay * x[i]! : 0;
        x[i]! -= rate * (first[i]! / correct1 / (Math.sqrt(second[i]! / correct2) + 1e-8) + decay);
      }
    }
  }
  return { weights: x.slice(0, size), intercepts: x.slice(size) };
}
