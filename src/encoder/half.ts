import { Float16Array } from "@petamoriken/float16";
import { tensor, UserError, type Tensor } from "../base/index.js";
import { saveBare } from "./_save-bare.js";
import { checkTokenizer, pickWeights, type EncoderParts } from "./save.js";

/**
 * Writes an encoder in half precision: two bytes a number, rounded to nearest, and no ONNX file. Training goes on from it,
 * and `openEncoder` builds the graph when it opens it. Numbers beyond 65,504 are refused.
 *
 * @throws UserError `model.wrong-tokenizer`, `model.weights`, and those of writing
 */
export async function saveHalf(folder: string, parts: EncoderParts): Promise<void> {
  const { config, tokenizer, matryoshka } = parts;
  checkTokenizer(config, tokenizer);
  const { parameterShapes } = await import("../model/index.js");
  const weights = pickWeights(parameterShapes(config), parts.weights);
  const stored = Object.fromEntries(Object.entries(weights).map(([name, value]) => [name, toHalf(name, value)]));
  await saveBare(folder, { config, tokenizer, matryoshka, stored });
}

function toHalf(name: string, { dims, data }: Tensor): Tensor {
  const half = new Float16Array(data as Float32Array);
  if (!half.every(Number.isFinite)) {
    throw new UserError(
      "model.weights",
      `weights: expected ${name} within 65,504, which half precision holds, got more`,
      {
        fix: "Write the encoder in full",
      },
    );
  }
  return tensor("float16", dims, new Uint16Array(half.buffer));
}

/** Tensors of half precision as float32; others as they are. */
export function expandHalf(tensors: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, value]) => [name, value.dtype === "float16" ? fromHalf(value) : value]),
  );
}

function fromHalf({ dims, data }: Tensor): Tensor {
  const bits = data as Uint16Array;
  return tensor("float32", dims, new Float32Array(new Float16Array(bits.slice().buffer)));
}
