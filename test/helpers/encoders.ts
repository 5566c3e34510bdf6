import { Rng, type Tensor } from "../../src/base/index.js";
import { initialise, parseModelConfig, type ModelConfig, type ModelConfigInput } from "../../src/model/index.js";

/** A model of one layer for the tokenizer of 400 tokens that the tests train. */
export function tinyConfig(overrides: Partial<ModelConfigInput> = {}): ModelConfig {
  const ids = { padId: 0, eosId: 1, maskId: 2 };
  return parseModelConfig({ layers: 1, heads: 2, width: 32, vocabSize: 400, maxLength: 48, ...ids, ...overrides });
}

/** Weights large enough that every part of the model shows in the vectors, biases and pooling included. */
export function noisyWeights(config: ModelConfig): Record<string, Tensor> {
  const rng = Rng.fromSeed(3);
  const weights = initialise(config, rng);
  for (const [name, { data }] of Object.entries(weights)) {
    const noise = rng.split("noise", name);
    for (let i = 0; i < data.length; i++) data[i]! += 0.2 * noise.normal();
  }
  return weights;
}

/** The largest absolute difference between two lists of numbers of one length. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`expected ${a.length} numbers, got ${b.length}`);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
}
