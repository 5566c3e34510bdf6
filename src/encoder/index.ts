export { saveCompact } from "./compact.js";
export { Encoder, type EmbedOptions } from "./encoder.js";
export { encoderFromState } from "./from-state.js";
export { loadEncoder, openEncoder, readEncoder, type LoadEncoderOptions } from "./load.js";
export { checkTokenizer, saveEncoder, type EncoderParts } from "./save.js";
export { FILES as MODEL_FILES } from "./_files.js";
export { isStatic, StaticEncoder, type Embedder } from "./static.js";
export { memoryOf, simdOver, type Simd, type SimdMemory } from "./_simd.js";
export { defaultModel, MODEL_FORMS, shippedModel, type ModelForm } from "./shipped.js";
