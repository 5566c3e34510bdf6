export { MaskFiller, openFiller, predictProgram } from "./filler.js";
export type { DecodingTokenizer, FilledMask, FillerParts, Guess, NamedPlaceholder } from "./filler.js";
export { findMasks, findPlaceholders, type Hole } from "./pieces.js";
