import { add, dropout, gather, iota, mul, reshape, type Dim, type Shape, type Value } from "../graph/index.js";
import type { ModelConfig } from "./config.js";

/** What makes a dropout mask: nothing else does, so that resumed, chunked and distributed runs draw the same ones. */
export interface DropoutInputs {
  /** int32 [2], a function of (seed, step). */
  readonly key: Value;
  /** int32 [B]: the global number of each row of the batch. */
  readonly rows: Value;
  /** Tells several passes over one batch apart (text and code, or the same code twice). Default 0. */
  readonly stream?: number;
}

/** Where dropout sits in the network; every site has its own static place number. */
export type DropoutSite =
  | { readonly kind: "embedding" }
  | { readonly kind: "attention" | "attention-residual" | "mlp-residual"; readonly layer: number };

/**
 * The place number of a site: 0 is the embedding, then three per block (attention probabilities, attention branch, MLP
 * branch); streams follow one another.
 */
export function dropoutPlace(layers: number, site: DropoutSite, stream = 0): number {
  const sites = 1 + 3 * layers;
  if (site.kind === "embedding") return stream * sites;
  const offset = { attention: 0, "attention-residual": 1, "mlp-residual": 2 }[site.kind];
  return stream * sites + 1 + 3 * site.layer + offset;
}

/** Applies the dropouts of one pass. Without inputs, or at rate 0, nothing is emitted. */
export class Dropouts {
  constructor(
    private readonly config: Pick<ModelConfig, "layers" | "dropout" | "maxLength">,
    private readonly inputs: DropoutInputs | undefined,
  ) {}

  /** x, seen as `shape` [B, ...]: one row id per entry of the first axis. */
  apply(x: Value, site: DropoutSite, shape: Shape = x.shape): Value {
    if (this.inputs === undefined || this.config.dropout === 0) return x;
    return reshape(this.#apply(reshape(x, shape), site, this.inputs, this.inputs.rows), x.shape);
  }

  /**
   * x [M, H] picked from a batch of B x T tokens by flat `index` int32 [M]: every token is its own row, numbered by its
   * global row and its place in it.
   */
  applyToTokens(x: Value, site: DropoutSite, index: Value, [batch, length]: readonly [Dim, Dim]): Value {
    const { inputs } = this;
    if (inputs === undefined || this.config.dropout === 0) return x;
    const first = mul(reshape(inputs.rows, [batch, 1]), this.config.maxLength); // [B, 1]
    const tokens = add(first, reshape(iota(x.graph, length), [1, length])); // [B, T]
    return this.#apply(x, site, inputs, gather(reshape(tokens, [-1]), index));
  }

  #apply(x: Value, site: DropoutSite, { key, stream }: DropoutInputs, rows: Value): Value {
    const place = dropoutPlace(this.config.layers, site, stream);
    return dropout(x, { rate: this.config.dropout, key, rows, place });
  }
}
