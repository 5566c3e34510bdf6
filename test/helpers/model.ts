import { saveEncoder } from "../../src/encoder/index.js";
import { trainTokenizer, type Tokenizer } from "../../src/tokenizer/index.js";
import { noisyWeights, tinyConfig } from "./encoders.js";
import { TEXTS } from "./texts.js";

/** Writes an untrained model folder, small enough to open in a moment. */
export async function writeModel(folder: string): Promise<Tokenizer> {
  const tokenizer = await trainTokenizer(TEXTS, { vocabSize: 400 });
  const config = tinyConfig();
  await saveEncoder(folder, { config, weights: noisyWeights(config), tokenizer });
  return tokenizer;
}
