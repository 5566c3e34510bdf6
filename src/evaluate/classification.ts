import type { Rng } from "../base/index.js";
import { round4 } from "./_round.js";
import { features, standardiser } from "./features.js";
import { logisticRegression, predict } from "./logistic.js";
import { accuracy, macroF1 } from "./metrics.js";
import { nearestNeighbours } from "./neighbours.js";
import { linearProbe } from "./probe.js";
import type { ClassificationSet } from "./sets.js";
import { normaliseRows } from "./similarity.js";

/** Four decimals. */
export interface ClassScores {
  readonly macroF1: number;
  readonly acc: number;
}

/** Plain data, ready for JSON. */
export interface ClassificationReport {
  readonly "logreg C=0.01": ClassScores;
  readonly "logreg C=0.1": ClassScores;
  readonly "logreg C=1.0": ClassScores;
  readonly "5-NN cosine": ClassScores;
  /** The paper's linear head: mean and standard deviation (of the sample) over seeds. */
  readonly "linear probe (AdamW)": {
    readonly macroF1: number;
    readonly macroF1_sd: number;
    readonly acc: number;
    readonly seeds: number;
  };
}

/**
 * Scores embeddings by how well simple classifiers on them do: logistic regression at three strengths and 5 nearest
 * neighbours on unit rows, and the paper's linear probe over several seeds.
 *
 * The linear classifiers see columns shifted and scaled to mean 0 and variance 1. For the probe this is our choice: with
 * unit rows as they are, the paper's ten epochs at 1e-3 would hardly leave the initial weights.
 *
 * @param train [train texts, width], @param test [test texts, width]
 * @throws UserError `evaluate.shape`
 */
export function evaluateClassification(
  set: ClassificationSet,
  train: Float32Array,
  test: Float32Array,
  { rng, seeds = 3 }: { rng: Rng; seeds?: number },
): ClassificationReport {
  const given = features(train, set.train.length, `${set.name}: train`);
  const asked = features(test, set.test.length, `${set.name}: test`);
  const A = { ...given, data: normaliseRows(given.data, given.width) };
  const B = { ...asked, data: normaliseRows(asked.data, given.width) };
  const standardise = standardiser(A);
  const [SA, SB] = [standardise(A), standardise(B)];

  const names = [...new Set(set.train.map(({ label }) => label))].sort((a, b) => (a < b ? -1 : 1));
  const labels = set.train.map(({ label }) => names.indexOf(label));
  const expected = set.test.map(({ label }) => label);
  const classes = names.length;
  const score = (predicted: readonly number[]): ClassScores => {
    const found = predicted.map((c) => names[c]!);
    return { macroF1: macroF1(expected, found), acc: accuracy(expected, found) };
  };
  const rounded = ({ macroF1, acc }: ClassScores): ClassScores => ({ macroF1: round4(macroF1), acc: round4(acc) });
  const regression = (C: number) => rounded(score(predict(logisticRegression(SA, labels, { classes, C }), SB)));

  const probes = Array.from({ length: seeds }, (_, seed) =>
    score(predict(linearProbe(SA, labels, { classes, rng: rng.split("seed", seed) }), SB)),
  );
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  const f1s = probes.map((probe) => probe.macroF1);
  const variance = mean(f1s.map((v) => (v - mean(f1s)) ** 2)) * (seeds > 1 ? seeds / (seeds - 1) : 1);
  return {
    "logreg C=0.01": regression(0.01),
    "logreg C=0.1": regression(0.1),
    "logreg C=1.0": regression(1),
    "5-NN cosine": rounded(score(nearestNeighbours(A, labels, B, 5))),
    "linear probe (AdamW)": {
      macroF1: round4(mean(f1s)),
      macroF1_sd: round4(Math.sqrt(variance)),
      acc: round4(mean(probes.map((probe) => probe.acc))),
      seeds,
    },
  };
}
