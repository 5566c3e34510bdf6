export { startMonitor } from "./monitor.js";
export { startServe, type ServeLimits, type ServeOptions } from "./serve.js";
export { serveMcp, startMcp, type McpHttpOptions, type McpOptions, type McpStreams } from "./mcp.js";
export type { LogLine } from "./_middleware.js";
export type { Address, RunningServer } from "./_local.js";
