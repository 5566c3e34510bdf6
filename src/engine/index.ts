export type { Engine, EngineOptions, EngineSession, ProgramSignature, Tensors } from "./engine.js";
export { createEngine, ENGINE_NAMES, type EngineName } from "./create-engine.js";
export { openOnnxFile } from "./onnxruntime/open-file.js";
export { findTorchPython, PACKAGE_FOLDER, pythonEnvironment, torchEngineFolder, venvPython } from "./torch/_python.js";
export { PRECISIONS, type Precision, type TorchOptions } from "./torch/torch.js";
