export * from "./types.js";
export { auditLine, MARKS, precisionByLanguage, readMarks, type AuditMark } from "./audit.js";
export { drawPairs, type DrawOptions } from "./draw.js";
export { precisionOf } from "./precision.js";
export { corpusStats, type StatsOptions } from "./stats.js";
