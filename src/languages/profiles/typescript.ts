import type { Profile } from "../_profile.js";
import { javascript } from "./javascript.js";

/**
 * TypeScript: `tree-sitter-typescript`. The tsx grammar reads JSX but not `<T>x` casts; the room tries the plain one
 * first and the other where that one stumbles.
 */
export const typescript: Profile = {
  ...javascript,
  language: "typescript",
  grammar: "tree-sitter-typescript/tree-sitter-typescript.wasm",
  alternative: "tree-sitter-typescript/tree-sitter-tsx.wasm",
  extensions: [".ts", ".tsx", ".mts", ".cts"],
};
