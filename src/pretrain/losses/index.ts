export { contrastiveLoss, PAPER_CONTRASTIVE } from "./contrastive.js";
export type { ContrastiveLoss, ContrastiveOptions } from "./contrastive.js";
export { maskedTokensLoss } from "./masked-tokens.js";
export type { MaskedTokens, MaskedTokensLoss } from "./masked-tokens.js";
