import { UserError } from "../base/index.js";
import type { Engine } from "./engine.js";
import { onnxruntimeEngine } from "./onnxruntime/onnxruntime.js";
import { referenceEngine } from "./reference/reference.js";

const ENGINES = { onnxruntime: onnxruntimeEngine, reference: referenceEngine } as const satisfies Record<
  string,
  Engine
>;

export type EngineName = keyof typeof ENGINES;
export const ENGINE_NAMES = Object.keys(ENGINES) as readonly EngineName[];

/**
 * The engine of that name.
 *
 * @throws UserError `engine.unknown`
 */
export function createEngine(name: EngineName): Engine {
  if (!Object.hasOwn(ENGINES, name)) {
    throw new UserError("engine.unknown", `engine: expected one of ${ENGINE_NAMES.join(", ")}, got "${String(name)}"`);
  }
  return ENGINES[name];
}
