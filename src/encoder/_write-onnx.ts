import { join } from "node:path";
import { AtomicFile, toBytes, type Tensor } from "../base/index.js";
import { externalDataParts, toOnnx, toOnnxWithData } from "../graph/index.js";
import { encoderGraph, type ModelConfig } from "../model/index.js";
import { FILES } from "./_files.js";

/** One file is easier to pass on; protobuf ends at 2 GiB. */
const LARGEST_SINGLE_FILE = 2 ** 30;

/**
 * Writes the encoder with unit-length sentence embeddings as ONNX, in standard operators only.
 *
 * @returns the names of the files: the model, and its weights where they are too large to be inside
 */
export async function writeOnnx(
  folder: string,
  config: ModelConfig,
  weights: Readonly<Record<string, Tensor>>,
  largestSingleFile = LARGEST_SINGLE_FILE,
): Promise<string[]> {
  const graph = encoderGraph(config, { normalised: true });
  const bytes = Object.values(weights).reduce((sum, value) => sum + toBytes(value).byteLength, 0);
  if (bytes <= largestSingleFile) {
    await writePieces(join(folder, FILES.onnx), [toOnnx(graph, { weights })]);
    return [FILES.onnx];
  }
  const { model, tensors } = toOnnxWithData(graph, FILES.onnxData, { weights });
  await writePieces(join(folder, FILES.onnx), [model]);
  await writePieces(join(folder, FILES.onnxData), externalDataParts(tensors));
  return [FILES.onnx, FILES.onnxData];
}

async function writePieces(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const file = await AtomicFile.create(path);
  try {
    for (const piece of pieces) await file.write(piece);
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
}
