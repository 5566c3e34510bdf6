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
