export { loadTokenizer } from "./load.js";
export { Tokenizer, type Encoding, type SpecialTokens } from "./tokenizer.js";
export { trainTokenizer, type TrainTokenizerOptions } from "./train.js";
export { SPECIAL_TOKENS, type CutOptions } from "./_format.js";
export { PieceEncoder } from "./pieces.js";
export { Interner } from "./_interner.js";
