import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UserError, writeFileAtomic, writeSafetensors, type Tensor } from "../base/index.js";
import type { ModelConfig } from "../model/index.js";
import type { Tokenizer } from "../tokenizer/index.js";
import { writeChecksums } from "./_checksums.js";
import { configText, sentenceTransformersTexts } from "./_configs.js";
import { FILES } from "./_files.js";
import { replaceFolder } from "./_replace-folder.js";
import { fitsTransformers, toTransformers } from "./_transformers.js";

/** What a model folder is made of. */
export interface EncoderParts {
  readonly config: ModelConfig;
  /** Parameters under GPT-2's names. Tensors of other names (moments of a training state) are left out. */
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly tokenizer: Tokenizer;
  /** Lengths that the vectors were trained to be cut to, if they were. */
  readonly matryoshka?: readonly number[] | undefined;
}

/**
 * Writes a model folder: the encoder as ONNX with its weights, the weights as safetensors (so that training can go on
 * from them), tokenizer, configs for transformers and sentence-transformers, and checksums. The folder appears, or is
 * replaced, only when all of it is written.
 *
 * @throws UserError `model.wrong-tokenizer`, `model.weights`, `output.not-ours`, `output.full`, `output.unwritable`
 */
export async function saveEncoder(folder: string, parts: EncoderParts): Promise<void> {
  checkTokenizer(parts.config, parts.tokenizer);
  // Exporting needs the graph and model rooms, embedding does not: they load here, not at start-up.
  const [{ writeOnnx }, { parameterShapes }] = await Promise.all([
    import("./_write-onnx.js"),
    import("../model/index.js"),
  ]);
  const { config, tokenizer } = parts;
  const weights = pickWeights(parameterShapes(config), parts.weights);
  await replaceFolder(folder, isModelFolder, async (temporary) => {
    const onnx = await writeOnnx(temporary, config, weights);
    const stored = fitsTransformers(config) ? toTransformers(config, weights) : weights;
    await writeSafetensors(join(temporary, FILES.weights), stored, { format: "pt" });
    const texts: Record<string, string> = {
      [FILES.tokenizer]: tokenizer.source,
      [FILES.tokenizerConfig]: tokenizer.configText(config.maxLength),
      [FILES.config]: configText(config, tokenizer, parts.matryoshka),
      ...sentenceTransformersTexts(config, weights, tokenizer),
    };
    for (const [name, text] of Object.entries(texts)) {
      await mkdir(dirname(join(temporary, name)), { recursive: true });
      await writeFileAtomic(join(temporary, name), text);
    }
    await writeChecksums(temporary, [...onnx, FILES.weights, ...Object.keys(texts)]);
  });
}

/** A model folder, or one that lost its checksums. */
export function isModelFolder(names: readonly string[]): boolean {
  return names.includes(FILES.checksums) || (names.includes(FILES.onnx) && names.includes(FILES.config));
}

/**
 * Holds a tokenizer against a model: its ids must have rows, and both must mean the same special tokens.
 *
 * @throws UserError `model.wrong-tokenizer`
 */
export function checkTokenizer(config: ModelConfig, tokenizer: Tokenizer): void {
  const wrong = (expected: string, got: string): UserError =>
    new UserError("model.wrong-tokenizer", `tokenizer: expected ${expected}, got ${got}`, {
      fix: "Use the tokenizer that the model was trained with",
    });
  if (tokenizer.vocabSize > config.vocabSize) {
    throw wrong(`at most ${config.vocabSize} tokens, as the model has`, String(tokenizer.vocabSize));
  }
  for (const role of ["pad", "eos", "mask"] as const) {
    const id = config[`${role}Id`];
    if (tokenizer.has(role) && tokenizer[`${role}Id`] !== id) {
      throw wrong(`${role} token ${id}, as the model has`, String(tokenizer[`${role}Id`]));
    }
  }
}

/** The parameters of the config, in its order. @throws UserError `model.weights` */
export function pickWeights(
  shapes: Readonly<Record<string, readonly number[]>>,
  weights: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> {
  const picked: Record<string, Tensor> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const value = weights[name];
    const got = value === undefined ? "none" : `${value.dtype}[${value.dims.join(", ")}]`;
    const expected = `float32[${shape.join(", ")}]`;
    if (value === undefined || got !== expected) {
      throw new UserError("model.weights", `weights: expected ${name} ${expected}, got ${got}`, {
        fix: "Use weights that were trained with this model config",
      });
    }
    picked[name] = value;
  }
  return picked;
}
