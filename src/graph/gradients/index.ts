import type { OpName } from "../ops/signatures.js";
import type { GradientRule } from "./_rule.js";
import { elementwiseGradients } from "./elementwise.js";
import { indexingGradients } from "./indexing.js";
import { networkGradients } from "./network.js";
import { reduceGradients } from "./reduce.js";
import { shapeGradients } from "./shape.js";

/** The gradient rule of every op; one that is missing does not compile. */
export const GRADIENTS: { readonly [K in OpName]: GradientRule<K> } = {
  ...elementwiseGradients,
  ...reduceGradients,
  ...shapeGradients,
  ...indexingGradients,
  ...networkGradients,
};
