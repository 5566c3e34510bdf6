export { defineBench, type Bench, type BenchContext, type BenchFindings, type Json } from "./definition.js";
export {
  interleave,
  summarise,
  type Interleaved,
  type InterleaveOptions,
  type Summary,
  type Variant,
} from "./interleave.js";
export { describeCommit, describeMachine, instructionSets, type Machine } from "./machine.js";
export { Peer } from "./peer.js";
export { measureProcess, type ProcessMeasure } from "./process.js";
export { BOUND_SECONDS, runBench, type BenchResult } from "./run-bench.js";
