export { command, type Command, type Context, type Example } from "./command.js";
export { COMMANDS, type CommandEntry } from "./commands/index.js";
export { dispatch } from "./_dispatch.js";
export { ProgressDisplay, table, type Screen } from "./terminal.js";
