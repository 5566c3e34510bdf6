export { MaskFiller, openFiller } from "./filler.js";
export type { FilledMask, FillerParts, Guess, NamedPlaceholder } from "./filler.js";
export { findMasks, findPlaceholders, type Hole } from "./pieces.js";
