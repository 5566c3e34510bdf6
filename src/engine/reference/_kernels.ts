import type { OpName } from "../../graph/index.js";
import type { Kernel } from "./_kernel.js";
import { elementwiseKernels } from "./kernels/elementwise.js";
import { indexingKernels } from "./kernels/indexing.js";
import { networkKernels } from "./kernels/network.js";
import { reduceKernels } from "./kernels/reduce.js";
import { shapeKernels } from "./kernels/shape.js";

/** The kernel of every op: one that is missing does not compile. */
export const KERNELS: { readonly [K in OpName]: Kernel<K> } = {
  ...elementwiseKernels,
  ...reduceKernels,
  ...shapeKernels,
  ...indexingKernels,
  ...networkKernels,
};
