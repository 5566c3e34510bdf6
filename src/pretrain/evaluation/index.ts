export { corpusValidation, validationPairs, type ValidationData, type ValidationPair } from "./data.js";
export { stage1Evaluator, stage2Evaluator, type Evaluation, type Evaluator } from "./evaluator.js";
export { writeSamples, type Sample } from "./samples.js";
