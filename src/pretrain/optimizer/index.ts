export { accumulate, accumulatorName, accumulators, takeAccumulated } from "./accumulate.js";
export { adamw, momentNames, STEP } from "./adamw.js";
export type { AdamWOptions, Optimizer, Trained } from "./adamw.js";
export { clipByGlobalNorm } from "./clip.js";
export type { Clipping } from "./clip.js";
export { SCHEDULES, warmupConstant, warmupCosine, warmupLinear } from "./schedule.js";
export type { Schedule, Warmup } from "./schedule.js";
