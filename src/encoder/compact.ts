import { tensor, UserError, type Tensor } from "../base/index.js";
import type { ModelConfig } from "../model/index.js";
import { saveBare } from "./_save-bare.js";
import { checkTokenizer, pickWeights, type EncoderParts } from "./save.js";
import { foldedTable, isStatic } from "./static.js";

/** The token table in bytes, and what a step of each row is worth. */
export const COMPACT = { table: "wte.weight.uint8", scale: "wte.weight.scale" } as const;
/** The byte that stands for 0. */
const ZERO = 128;

/**
 * Writes a static bag in its smallest form: one byte a number instead of four, no ONNX file. What each token weighs is
 * multiplied into its row, so that the model is a plain mean of rows; vectors point where the original's do, to the
 * rounding of a byte. `loadStatic` and `readEncoder` read the folder.
 *
 * @throws UserError `model.not-static`, `model.wrong-tokenizer`, `model.weights`, and those of writing
 */
export async function saveCompact(folder: string, parts: EncoderParts): Promise<void> {
  const { tokenizer } = parts;
  if (!isStatic(parts.config)) {
    throw new UserError("model.not-static", "export: expected a static bag, got a model with blocks or positions", {
      fix: "Train one with --size bag, or export the model as it is",
    });
  }
  checkTokenizer(parts.config, tokenizer);
  const { parameterShapes } = await import("../model/index.js");
  const weights = pickWeights(parameterShapes(parts.config), parts.weights);
  const config = compactConfig(parts.config);
  const stored = quantiseRows(foldedTable(parts.config, weights), config.vocabSize, config.width);
  await saveBare(folder, { config, tokenizer, matryoshka: parts.matryoshka, stored });
}

/** The same bag when every token weighs the same. */
export function compactConfig(config: ModelConfig): ModelConfig {
  return { ...config, pooling: "mean", finalNorm: false, poolStates: "residual" };
}

/** The parameters of a file that {@link saveCompact} wrote; others as they are. */
export function expandCompact(tensors: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>> {
  const [table, scale] = [tensors[COMPACT.table], tensors[COMPACT.scale]];
  if (table === undefined || scale === undefined) return tensors;
  const [rows = 0, width = 0] = table.dims;
  const out = new Float32Array(rows * width);
  const [bytes, steps] = [table.data as Uint8Array, scale.data as Float32Array];
  for (let row = 0; row < rows; row++) {
    const step = steps[row]!;
    for (let i = row * width; i < (row + 1) * width; i++) out[i] = (bytes[i]! - ZERO) * step;
  }
  return { "wte.weight": tensor("float32", [rows, width], out) };
}

/** Each row by its own scale, symmetric: byte = round(x / scale) + 128, scale = largest |x| of the row / 127. */
function quantiseRows(table: Float32Array, rows: number, width: number): Record<string, Tensor> {
  const bytes = new Uint8Array(rows * width);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let largest = 0;
    for (let i = row * width; i < (row + 1) * width; i++) largest = Math.max(largest, Math.abs(table[i]!));
    scales[row] = largest / 127;
    for (let i = row * width; i < (row + 1) * width; i++) {
      bytes[i] = ZERO + (largest === 0 ? 0 : Math.round(table[i]! / scales[row]!));
    }
  }
  return {
    [COMPACT.table]: tensor("uint8", [rows, width], bytes),
    [COMPACT.scale]: tensor("float32", [rows], scales),
  };
}
