export * from "./checkpoint.js";
export * from "./config.js";
export { maskIdentifiers, segmentTokens, type IdentifierSpans, type SegmentedTokens } from "./deobfuscation.js";
export {
  maskRandom,
  UNMASKED,
  type MaskedTokens,
  type MaskVocabulary,
  type RandomMasking,
  type Rate,
} from "./masking.js";
export { metricsPath, readMetrics, type MetricsLine } from "./metrics-file.js";
export type {
  FindIdentifiers,
  PretrainTokenizer,
  StepEvent,
  TrainEvent,
  TrainingDocument,
  TrainingPair,
} from "./types.js";
export { type Sample, type ValidationData, type ValidationPair } from "./evaluation/index.js";
export { PAPER_CONTRASTIVE, type ContrastiveOptions } from "./losses/index.js";
export * from "./optimizer/index.js";
export * from "./predict/index.js";
export * from "./programs/index.js";
export {
  defaultDataWorkers,
  matryoshkaOf,
  startingWeights,
  weightsOf,
  type EngineSettings,
  type TrainEngine,
  type Weights,
} from "./run.js";
export { packStage, type PackedEvent, type PackOptions } from "./packed/pack.js";
export { unpackRun, type Unpacked } from "./packed/unpack.js";
export { runStage1, stage1Plan, type DocumentSource, type Stage1Options, type StageOptions } from "./stage1.js";
export { type Teacher } from "./pairs/teacher.js";
export { runStage2, stage2Plan, type PairSource, type Stage2Options } from "./stage2.js";
