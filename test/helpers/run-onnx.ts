import * as ort from "onnxruntime-node";
import type { DType, Tensor } from "../../src/base/index.js";

/** Runs an ONNX model once in this process, without any of our engines in between. */
export async function runOnnx(
  model: Uint8Array | string,
  feeds: Readonly<Record<string, Tensor>>,
  options: ort.InferenceSession.SessionOptions = {},
): Promise<Record<string, Tensor>> {
  const settings = { intraOpNumThreads: 1, logSeverityLevel: 3 as const, ...options };
  const session =
    typeof model === "string"
      ? await ort.InferenceSession.create(model, settings)
      : await ort.InferenceSession.create(model, settings);
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, data, dims }]) => [name, new ort.Tensor(dtype, data, dims)]),
  );
  try {
    const outputs = await session.run(inputs);
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { type, dims, data }]) => [
        name,
        { dtype: type as DType, dims, data: data as Tensor["data"] },
      ]),
    );
  } finally {
    await session.release();
  }
}
