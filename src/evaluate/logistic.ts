import { rowsOf, type Features } from "./features.js";
import { lbfgs } from "./lbfgs.js";

/** A linear classifier: `logits = x W^T + b`, one row of `weights` a class. */
export interface LinearClassifier {
  /** [classes, width] */
  readonly weights: Float64Array;
  /** [classes] */
  readonly intercepts: Float64Array;
}

/**
 * Multinomial logistic regression, run to the minimum of a convex objective, so that no seed and no schedule is in the
 * result:
 *
 *     sum over rows of -log softmax(x W^T + b)[label]  +  |W|^2 / (2 C)
 *
 * Intercepts are not penalised. Two classes have one weight vector (the logit of the first class is 0), which with the
 * same C is penalised as scikit-learn's LogisticRegression does it; more have one each.
 *
 * @param labels class indices 0 .. classes-1, one a row
 */
export function logisticRegression(
  input: Features,
  labels: ArrayLike<number>,
  { classes, C }: { classes: number; C: number },
): LinearClassifier {
  const { data, width } = input;
  const n = rowsOf(input);
  const first = classes === 2 ? 1 : 0; // Classes before it have the logit 0.
  const vectors = classes - first;
  const biases = vectors * width;
  const penalty = 1 / (C * n); // The mean over rows, so that the tolerance does not depend on their number.
  const logits = new Float64Array(classes);
  const objective = (x: Float64Array, gradient: Float64Array): number => {
    let loss = 0;
    for (let i = 0; i < biases; i++) {
      loss += 0.5 * penalty * x[i]! ** 2;
      gradient[i] = penalty * x[i]!;
    }
    gradient.fill(0, biases);
    for (let row = 0; row < n; row++) {
      for (let v = 0; v < vectors; v++)
        logits[first + v] = x[biases + v]! + product(x, v * width, data, row * width, width);
      const norm = logSumExp(logits);
      loss += (norm - logits[labels[row]!]!) / n;
      for (let v = 0; v < vectors; v++) {
        const expected = labels[row] === first + v ? 1 : 0;
        const error = (Math.exp(logits[first + v]! - norm) - expected) / n;
        gradient[biases + v]! += error;
        for (let j = 0; j < width; j++) gradient[v * width + j]! += error * data[row * width + j]!;
      }
    }
    return loss;
  };
  // At 1e-7 what moves is far below what could turn a prediction; 1e-8 takes many more steps.
  const { x } = lbfgs(objective, new Float64Array(biases + vectors), { tolerance: 1e-7 });
  const weights = new Float64Array(classes * width);
  const intercepts = new Float64Array(classes);
  weights.set(x.subarray(0, biases), first * width);
  intercepts.set(x.subarray(biases), first);
  return { weights, intercepts };
}

/** The class index with the highest logit for every row; the first among equals. */
export function predict({ weights, intercepts }: LinearClassifier, { data, width }: Features): number[] {
  return Array.from({ length: data.length / width }, (_, row) => {
    let best = 0;
    let highest = -Infinity;
    for (let c = 0; c < intercepts.length; c++) {
      const logit = intercepts[c]! + product(weights, c * width, data, row * width, width);
      if (logit > highest) [best, highest] = [c, logit];
    }
    return best;
  });
}

/** Dot product of `width` numbers of `a` from `i` on and `b` from `j` on. */
export function product(a: Float64Array, i: number, b: Float32Array, j: number, width: number): number {
  let sum = 0;
  for (let k = 0; k < width; k++) sum += a[i + k]! * b[j + k]!;
  return sum;
}

/** log of the sum of exponentials, without overflow. */
export function logSumExp(values: Float64Array): number {
  let most = -Infinity;
  for (const v of values) most = Math.max(most, v);
  let sum = 0;
  for (const v of values) sum += Math.exp(v - most);
  return most + Math.log(sum);
}
