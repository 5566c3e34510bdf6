import { fileURLToPath } from "node:url";
import { toOnnx, type Graph } from "../../graph/index.js";

/** The Python package that runs programs, as it comes with this one. */
export function torchPackageFolder(): string {
  return fileURLToPath(new URL("../../../engines/torch/lodestone_torch", import.meta.url));
}

/** A program as that package reads it. */
export function torchProgram(graph: Graph): Uint8Array {
  return toOnnx(graph, { target: "torch" });
}
