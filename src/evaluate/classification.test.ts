import { expect, test } from "vitest";
import { Rng } from "../base/index.js";
import {
  evaluateClassification,
  lbfgs,
  linearProbe,
  logisticRegression,
  nearestNeighbours,
  pairedBootstrap,
  predict,
  standardiser,
  type ClassificationSet,
  type Features,
} from "./index.js";

/** Points around one centre a class, three apart. */
function blobs(rng: Rng, perClass: number, classes: number, width: number): { input: Features; labels: number[] } {
  const labels = Array.from({ length: perClass * classes }, (_, i) => i % classes);
  const data = Float32Array.from({ length: labels.length * width }, (_, i) => {
    const label = labels[Math.floor(i / width)]!;
    return rng.normal() + (i % width === label ? 3 : 0);
  });
  return { input: { data, width }, labels };
}

const correct = (a: readonly number[], b: readonly number[]): number =>
  a.filter((v, i) => v === b[i]).length / a.length;

test("L-BFGS finds the minimum of a badly scaled quadratic and of Rosenbrock's valley", () => {
  const scales = [1, 10, 1e4];
  const quadratic = lbfgs((x, g) => {
    let value = 0;
    scales.forEach((scale, i) => {
      g[i] = scale * (x[i]! - i);
      value += 0.5 * scale * (x[i]! - i) ** 2;
    });
    return value;
  }, new Float64Array(3));
  quadratic.x.forEach((v, i) => expect(v).toBeCloseTo(i, 6));
  const valley = lbfgs(
    (x, g) => {
      const [a, b] = [x[0]!, x[1]!];
      g[0] = -2 * (1 - a) - 400 * a * (b - a * a);
      g[1] = 200 * (b - a * a);
      return (1 - a) ** 2 + 100 * (b - a * a) ** 2;
    },
    Float64Array.of(-1.2, 1),
  );
  expect(valley.x[0]).toBeCloseTo(1, 6);
  expect(valley.gradientSize).toBeLessThan(1e-8);
});

test("logistic regression with one column and two classes has the slope that its equation gives", () => {
  // Rows -1 (class 0) and 1 (class 1): by symmetry the intercept is 0, and w solves  C * 2 * sigmoid(-w) = w.
  const input = { data: Float32Array.of(-1, 1), width: 1 };
  const { weights, intercepts } = logisticRegression(input, [0, 1], { classes: 2, C: 1 });
  const w = weights[1]!;
  expect(2 / (1 + Math.exp(w))).toBeCloseTo(w, 6);
  expect(intercepts[1]).toBeCloseTo(0, 6);
  expect(weights[0]).toBe(0);
});

test("with three classes every gradient of the objective is zero at the result", () => {
  const { input, labels } = blobs(Rng.fromSeed(1), 20, 3, 4);
  const { weights, intercepts } = logisticRegression(input, labels, { classes: 3, C: 0.5 });
  const loss = (w: Float64Array, b: Float64Array): number => {
    let sum = 0;
    labels.forEach((label, row) => {
      const logits = Array.from(b, (bias, c) => {
        let logit = bias;
        for (let j = 0; j < 4; j++) logit += w[c * 4 + j]! * input.data[row * 4 + j]!;
        return logit;
      });
      sum += Math.log(logits.reduce((total, logit) => total + Math.exp(logit), 0)) - logits[label]!;
    });
    return sum + w.reduce((total, v) => total + v * v, 0) / (2 * 0.5);
  };
  const h = 1e-5;
  for (let i = 0; i < weights.length; i++) {
    const [up, down] = [weights.slice(), weights.slice()];
    up[i]! += h;
    down[i]! -= h;
    expect((loss(up, intercepts) - loss(down, intercepts)) / (2 * h)).toBeCloseTo(0, 4);
  }
});

test("the probe learns, follows its Rng, and differs between seeds", () => {
  const { input, labels } = blobs(Rng.fromSeed(2), 150, 3, 8);
  const train = (seed: number) =>
    linearProbe(input, labels, { classes: 3, rng: Rng.fromSeed(seed), learningRate: 1e-2 });
  expect(correct(predict(train(1), input), labels)).toBeGreaterThan(0.9);
  expect(train(1)).toEqual(train(1));
  expect(train(1).weights).not.toEqual(train(2).weights);
});

test("one AdamW step of the probe, by hand", () => {
  // One row x = [1], two classes, label 0, one epoch of one batch: the first Adam step moves every entry by
  // rate * (g / (|g| + eps) + decay * w) whatever the size of g.
  const input = { data: Float32Array.of(1), width: 1 };
  const options = { classes: 2, rng: Rng.fromSeed(3), epochs: 1, learningRate: 0.1, weightDecay: 0.5 };
  const before = linearProbe(input, [0], { ...options, learningRate: 0 });
  const after = linearProbe(input, [0], options);
  expect(after.weights[0]).toBeCloseTo(before.weights[0]! + 0.1 * (1 - 0.5 * before.weights[0]!), 5);
  expect(after.weights[1]).toBeCloseTo(before.weights[1]! - 0.1 * (1 + 0.5 * before.weights[1]!), 5);
  expect(after.intercepts[1]).toBeCloseTo(before.intercepts[1]! - 0.1, 5);
});

test("nearest neighbours vote, and equal votes go to the lower class", () => {
  const unit = (...angles: number[]): Features => ({
    data: Float32Array.from(angles.flatMap((a) => [Math.cos(a), Math.sin(a)])),
    width: 2,
  });
  const train = unit(0, 0.1, 0.2, 1.5, 1.6);
  expect(nearestNeighbours(train, [1, 1, 0, 0, 0], unit(0.05, 1.55), 3)).toEqual([1, 0]);
  expect(nearestNeighbours(train, [1, 1, 0, 0, 0], unit(0.05), 4)).toEqual([0]);
});

test("standardising: mean 0, variance 1, constant columns stay at 0", () => {
  const train = { data: Float32Array.of(1, 7, 3, 7, 5, 7), width: 2 };
  const [a, , b] = standardiser(train)(train).data;
  expect(a).toBeCloseTo(-2 / Math.sqrt(8 / 3), 6);
  expect(b).toBeCloseTo(0, 6);
  expect(standardiser(train)(train).data[1]).toBe(0);
});

test("a report over labels that are separable", () => {
  const text = (i: number) => ({ id: `${i}`, text: "", lang: "", label: ["cubic", "linear"][i % 2]! });
  const set: ClassificationSet = {
    kind: "classification",
    name: "two",
    train: Array.from({ length: 40 }, (_, i) => text(i)),
    test: Array.from({ length: 10 }, (_, i) => text(i)),
  };
  const rng = Rng.fromSeed(4);
  const rows = (n: number) =>
    Float32Array.from({ length: n * 2 }, (_, i) => (i % 2 === (i >> 1) % 2 ? 1 : 0.05 * rng.normal()));
  const report = evaluateClassification(set, rows(40), rows(10), { rng });
  expect(report["logreg C=1.0"]).toEqual({ macroF1: 1, acc: 1 });
  expect(report["5-NN cosine"]).toEqual({ macroF1: 1, acc: 1 });
  expect(report["linear probe (AdamW)"]).toMatchObject({ seeds: 3 });
  expect(() => evaluateClassification(set, rows(39), rows(10), { rng })).toThrow("two: train: expected 40 rows");
});

test("paired bootstrap: a clear difference is clear, none is none", () => {
  const rng = Rng.fromSeed(5);
  const base = Array.from({ length: 200 }, () => rng.uniform());
  const better = base.map((v) => v + 0.1 + 0.05 * rng.normal());
  const clear = pairedBootstrap(better, base, { rng, samples: 2000 });
  expect(clear.difference).toBeCloseTo(0.1, 1);
  expect(clear.low).toBeGreaterThan(0.08);
  expect(clear.p).toBe(0);
  // A mean of n normal differences scatters by sd / sqrt(n): the interval is about +-1.96 of that.
  expect((clear.high - clear.low) / (2 * 1.96)).toBeCloseTo(0.05 / Math.sqrt(200), 3);
  expect(pairedBootstrap(base, base, { rng, samples: 100 })).toEqual({ difference: 0, low: 0, high: 0, p: 1 });
});
