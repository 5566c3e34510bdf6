export type { Engine, EngineOptions, EngineSession, ProgramSignature, Tensors } from "./engine.js";
export { createEngine, ENGINE_NAMES, type EngineName } from "./create-engine.js";
export { openOnnxFile } from "./onnxruntime/open-file.js";
