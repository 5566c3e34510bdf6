export { startMonitor } from "./monitor.js";
export type { Address, RunningServer } from "./_local.js";
