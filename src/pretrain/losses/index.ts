export { contrastiveLoss, PAPER_CONTRASTIVE } from "./contrastive.js";
export type { ContrastiveInputs, ContrastiveLoss, ContrastiveOptions, Matryoshka } from "./contrastive.js";
export { distillationLoss, requireDimension, type Distillation, type TeacherVectors } from "./distillation.js";
export { maskedTokensLoss } from "./masked-tokens.js";
export type { MaskedTokens, MaskedTokensLoss } from "./masked-tokens.js";
export {
  declareLossParameters,
  LOG_TEMPERATURE,
  lossParameters,
  TEMPERATURE_BOUNDS,
  temperatureOf,
} from "./temperature.js";
export type { LearnedTemperature, LossParameters } from "./temperature.js";
