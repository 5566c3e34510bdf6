import { join } from "node:path";
import { PACKAGE_FOLDER } from "../../engine/index.js";
import { toOnnx, type Graph } from "../../graph/index.js";

/** The Python package that runs programs, as it comes with this one. */
export const TORCH_PACKAGE = join(PACKAGE_FOLDER, "lodestone_torch");

/** A program as that package reads it. */
export function torchProgram(graph: Graph): Uint8Array {
  return toOnnx(graph, { target: "torch" });
}
