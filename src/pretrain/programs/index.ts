export { embedProgram } from "./embed.js";
export { applyAccumulated, backwardChunk, embedChunk, lossGradient } from "./gradient-cache.js";
export type { ChunkSide } from "./gradient-cache.js";
export { stage1Accumulate, stage1Evaluate, stage1Step } from "./stage1.js";
export type { Stage1Dims } from "./stage1.js";
export { stage2Evaluate, stage2Step } from "./stage2.js";
export type { Stage2Dims } from "./stage2.js";
export { initialState, trainedShapes } from "./update.js";
export type { Stage, UpdateOptions } from "./update.js";
