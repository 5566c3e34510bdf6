export { Encoder, type EmbedOptions } from "./encoder.js";
export { encoderFromState } from "./from-state.js";
export { loadEncoder, readEncoder, type LoadEncoderOptions } from "./load.js";
export { checkTokenizer, saveEncoder, type EncoderParts } from "./save.js";
export { FILES as MODEL_FILES } from "./_files.js";
export { isStatic, loadStatic, StaticEncoder, type Embedder } from "./static.js";
export { memoryOf, simdOver, type Simd, type SimdMemory } from "./_simd.js";
