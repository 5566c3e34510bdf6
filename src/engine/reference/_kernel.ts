import type { Inputs, OpName, Outputs, Params } from "../../graph/index.js";
import type { Dense } from "./_dense.js";

/** What kernels get beside their inputs. */
export interface KernelContext {
  /** The number that a dimension has in this run. */
  size(dim: number | string): number;
}

/** Computes one op, as plainly as can be. Inputs have been checked by the op's shape rule. */
export type Kernel<K extends OpName> = (
  inputs: Inputs<K, Dense>,
  params: Params<K>,
  context: KernelContext,
) => Outputs<K, Dense>;

/** One kernel per op of a group: leave one out, and it does not compile. */
export type Kernels<K extends OpName> = { readonly [Op in K]: Kernel<Op> };
