/**
 * The library. What most programs need is here; every room is also an entry of its own (`lodestone/graph`,
 * `lodestone/encoder`, ...) with all that it offers.
 */
export { LANGUAGES, Rng, UserError, type Language, type ProgressEvent, type Tensor } from "./base/index.js";
export { buildCorpus, readDocuments, readManifest, readPairs } from "./corpus/index.js";
export { Encoder, loadEncoder, openEncoder, readEncoder, saveEncoder, type Embedder } from "./encoder/index.js";
export { createEngine, openOnnxFile } from "./engine/index.js";
export { bm25, evaluateSet, loadSet } from "./evaluate/index.js";
export { languageOfPath, loadLanguage } from "./languages/index.js";
export { parseModelConfig, SIZES, sizeWith } from "./model/index.js";
export { readCheckpoint, runStage1, runStage2, weightsOf } from "./pretrain/index.js";
export { openIndex, SearchIndex } from "./search/index.js";
export { loadTokenizer, Tokenizer, trainTokenizer } from "./tokenizer/index.js";
