import { float32, zeros, type Tensor } from "../../base/index.js";
import {
  add,
  div,
  exp,
  maximum,
  minimum,
  mul,
  neg,
  sqrt,
  square,
  sub,
  tanh,
  where,
  type Graph,
  type Value,
} from "../../graph/index.js";

/** @see adamw */
export interface AdamWOptions {
  readonly betas: readonly [number, number];
  readonly eps: number;
  /** Decoupled: every decayed parameter shrinks by learning rate * this, apart from the gradient's step. */
  readonly weightDecay: number;
  /** Which parameters decay. */
  readonly decays: (name: string, shape: readonly number[]) => boolean;
  /** Multiplies the learning rate of a parameter. Default 1 for all. */
  readonly rateOf?: (name: string) => number;
  /** Where a parameter is moved back to after its update. Default: anywhere will do. */
  readonly boundsOf?: (name: string) => readonly [low: number, high: number] | undefined;
}

/** A parameter with its gradient. */
export interface Trained {
  readonly parameter: Value;
  readonly gradient: Value;
}

/** An optimizer: `{init, update}`, where `update` emits graph nodes. */
export interface Optimizer {
  /** The resident tensors it needs beside the parameters, as they are before the first step. */
  init(shapes: Readonly<Record<string, readonly number[]>>): Record<string, Tensor>;
  /**
   * Emits one step: declares its state in the graph and updates it and the parameters.
   *
   * @param learningRate float32 scalar
   * @param scale float32 scalar that every gradient is multiplied by first (clipping), if any
   * @param applies bool scalar, if any: where it is false, everything stays as it is
   */
  update(
    graph: Graph,
    trained: Readonly<Record<string, Trained>>,
    learningRate: Value,
    scale?: Value,
    applies?: Value,
  ): void;
}

/** Name of the counter of updates done: float32 scalar, exact up to 2^24. */
export const STEP = "step";

/** Names of a parameter's moments. */
export function momentNames(name: string): readonly [first: string, second: string] {
  return [`adam.m/${name}`, `adam.v/${name}`];
}

/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2; defaults of the step as in torch.optim.AdamW). With t = step + 1:
 *
 *     m' = b1 m + (1-b1) g        v' = b2 v + (1-b2) g^2
 *     p' = (1 - lr wd) p - lr / (1-b1^t) * m' / (sqrt(v' / (1-b2^t)) + eps)
 *
 * Bias corrections, decay and clipping are scalars, computed once and multiplied into the coefficients, so that an
 * update is 13 passes over a parameter. With c = sqrt(1-b2^t), the last line is
 * p' = (1 - lr wd) p - (lr c / (1-b1^t)) * m' / (sqrt(v') + eps c).
 */
export function adamw(options: AdamWOptions): Optimizer {
  const { betas, eps, weightDecay, decays, rateOf = () => 1, boundsOf = () => undefined } = options;
  const [b1, b2] = betas;
  return {
    init(shapes) {
      const state: Record<string, Tensor> = { [STEP]: float32([], [0]) };
      for (const [name, shape] of Object.entries(shapes)) {
        for (const moment of momentNames(name)) state[moment] = zeros("float32", shape);
      }
      return state;
    },

    update(graph, trained, learningRate, scale, applies) {
      const chosen = (fresh: Value, old: Value): Value => (applies === undefined ? fresh : where(applies, fresh, old));
      const step = graph.state(STEP, "float32", []);
      const next = add(step, 1);
      graph.update(STEP, chosen(next, step));
      const correction1 = biasCorrection(graph, b1, next);
      const root2 = sqrt(biasCorrection(graph, b2, next)); // c
      const gain1 = scale === undefined ? graph.constant(1 - b1) : mul(scale, 1 - b1);
      const gain2 = scale === undefined ? graph.constant(1 - b2) : mul(square(scale), 1 - b2);
      const epsilon = mul(root2, eps);
      const baseRate = div(mul(learningRate, root2), correction1);
      const keep = sub(1, mul(learningRate, weightDecay));

      for (const [name, { parameter, gradient }] of Object.entries(trained)) {
        const shape = parameter.shape as readonly number[];
        const [mName, vName] = momentNames(name);
        const m = graph.state(mName, "float32", shape);
        const v = graph.state(vName, "float32", shape);
        const factor = rateOf(name);
        const rate = factor === 1 ? baseRate : mul(baseRate, factor);
        graph.scope(`adamw/${name}`, () => {
          const m1 = add(mul(m, b1), mul(gradient, gain1));
          const v1 = add(mul(v, b2), mul(square(gradient), gain2));
          const direction = div(mul(m1, rate), add(sqrt(v1), epsilon));
          const decayed = weightDecay !== 0 && decays(name, shape);
          const kept = factor === 1 ? keep : sub(1, mul(learningRate, weightDecay * factor));
          graph.update(mName, chosen(m1, m));
          graph.update(vName, chosen(v1, v));
          const bounds = boundsOf(name);
          const free = sub(decayed ? mul(parameter, kept) : parameter, direction);
          const moved = bounds === undefined ? free : maximum(minimum(free, bounds[1]), bounds[0]);
          graph.update(name, chosen(moved, parameter));
          if (bounds !== undefined) return; // No engine's own AdamW knows them.
          graph.fusions.push({
            op: "AdamW",
            inputs: [parameter, gradient, m, v, next, learningRate, ...(scale === undefined ? [] : [scale])],
            outputs: [moved, m1, v1],
            attributes: { beta1: b1, beta2: b2, eps, weight_decay: decayed ? weightDecay : 0, rate: factor },
          });
        });
      }
    },
  };
}

/**
 * 1 - beta^t for a scalar value t >= 1. With x = t ln(1/beta) this is tanh(x/2) (1 + e^-x), which keeps all digits where
 * the plain difference loses them: at t = 1 and beta = 0.999 in float32 that one is wrong in the fifth digit.
 */
function biasCorrection(graph: Graph, beta: number, t: Value): Value {
  if (beta === 0) return graph.constant(1);
  const x = mul(t, -Math.log(beta));
  return mul(tanh(mul(x, 0.5)), add(exp(neg(x)), 1));
}
