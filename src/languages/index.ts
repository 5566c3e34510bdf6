export * from "./types.js";
export * from "./parser.js";
export { PLACEHOLDER, restore } from "./_identifiers.js";
export * from "./summary/summarise.js";
export { weakness, WEAKNESSES, type Weakness } from "./summary/statement.js";
