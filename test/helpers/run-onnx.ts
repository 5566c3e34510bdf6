import * as ort from "onnxruntime-node";
import type { DType, Tensor } from "../../src/base/index.js";

type Tensors = Readonly<Record<string, Tensor>>;

export interface OnnxRun {
  run(feeds: Tensors): Promise<Record<string, Tensor>>;
  close(): Promise<void>;
}

/** Opens an ONNX model (bytes, or the path of a file) in this process, without any of our engines in between. */
export async function openOnnx(
  model: Uint8Array | string,
  options: ort.InferenceSession.SessionOptions = {},
): Promise<OnnxRun> {
  const settings = { intraOpNumThreads: 1, logSeverityLevel: 3 as const, ...options };
  const session =
    typeof model === "string"
      ? await ort.InferenceSession.create(model, settings)
      : await ort.InferenceSession.create(model, settings);
  return {
    run: async (feeds) => {
      const inputs = Object.entries(feeds).map(([name, { dtype, data, dims }]) => [
        name,
        new ort.Tensor(dtype, data, dims),
      ]);
      const outputs = await session.run(Object.fromEntries(inputs) as Record<string, ort.Tensor>);
      return Object.fromEntries(
        Object.entries(outputs).map(([name, { type, dims, data }]) => [
          name,
          { dtype: type as DType, dims, data: data as Tensor["data"] },
        ]),
      );
    },
    close: () => session.release(),
  };
}

/** Opens, runs once, closes. */
export async function runOnnx(
  model: Uint8Array | string,
  feeds: Tensors,
  options: ort.InferenceSession.SessionOptions = {},
): Promise<Record<string, Tensor>> {
  const session = await openOnnx(model, options);
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}
