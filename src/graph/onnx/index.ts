import type { OpName } from "../ops/signatures.js";
import type { Lowering } from "./_lowering.js";
import { elementwiseLowerings } from "./elementwise.js";
import { indexingLowerings } from "./indexing.js";
import { networkLowerings } from "./network.js";
import { reduceLowerings } from "./reduce.js";
import { shapeLowerings } from "./shape.js";

/** How every op is written in ONNX; one that is missing does not compile. */
export const LOWERINGS: { readonly [K in OpName]: Lowering<K> } = {
  ...elementwiseLowerings,
  ...reduceLowerings,
  ...shapeLowerings,
  ...indexingLowerings,
  ...networkLowerings,
};
