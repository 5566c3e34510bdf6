export { Bm25, bm25, type Bm25Options } from "./bm25.js";
export { pairedBootstrap, type PairedDifference } from "./bootstrap.js";
export { evaluateClassification, type ClassificationReport, type ClassScores } from "./classification.js";
export { evaluatePairs, type PairsReport } from "./evaluate-pairs.js";
export {
  evaluateSet,
  type Baseline,
  type Embed,
  type EvaluateSetOptions,
  type SetEvaluation,
  type SetReport,
  type Side,
} from "./evaluate-set.js";
export { features, rowsOf, standardiser, type Features } from "./features.js";
export { hybrid } from "./hybrid.js";
export { lbfgs, type LbfgsOptions, type Objective } from "./lbfgs.js";
export { logisticRegression, predict, type LinearClassifier } from "./logistic.js";
export {
  accuracy,
  averagePrecision,
  macroF1,
  ndcgAt,
  RANKING_METRICS,
  rankingMetrics,
  ranksOf,
  recallAt,
  reciprocalRank,
  type RankingMetrics,
  type Ranks,
} from "./metrics.js";
export { nearestNeighbours } from "./neighbours.js";
export { linearProbe, type ProbeOptions } from "./probe.js";
export {
  evaluateRetrieval,
  evaluateScores,
  scoresOf,
  type EvaluateOptions,
  type MeanMetrics,
  type RetrievalEvaluation,
  type RetrievalReport,
  type ScoreBlock,
} from "./retrieval.js";
export { round4 } from "./_round.js";
export {
  loadSet,
  pairedSet,
  type ClassificationSet,
  type EvaluationSet,
  type LabelledText,
  type RetrievalSet,
  type SetText,
} from "./sets.js";
export { dotProducts, normaliseRows } from "./similarity.js";
export { codeWords } from "./words.js";
