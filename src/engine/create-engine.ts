import { UserError } from "../base/index.js";
import type { Engine } from "./engine.js";
import { onnxruntimeEngine } from "./onnxruntime/onnxruntime.js";
import { referenceEngine } from "./reference/reference.js";
import { torchEngine, type TorchOptions } from "./torch/torch.js";

const ENGINES = {
  onnxruntime: () => onnxruntimeEngine,
  reference: () => referenceEngine,
  torch: torchEngine,
} as const satisfies Record<string, (options: TorchOptions) => Engine>;

export type EngineName = keyof typeof ENGINES;
export const ENGINE_NAMES = Object.keys(ENGINES) as readonly EngineName[];

/**
 * The engine of that name. Options are for engine `torch`; the others take theirs in `open` only.
 *
 * @throws UserError `engine.unknown`
 */
export function createEngine(name: EngineName, options: TorchOptions = {}): Engine {
  if (!Object.hasOwn(ENGINES, name)) {
    throw new UserError("engine.unknown", `engine: expected one of ${ENGINE_NAMES.join(", ")}, got "${String(name)}"`);
  }
  return ENGINES[name](options);
}
