import { join } from "node:path";
import { sha256File } from "../base/index.js";
import type { PairEncoder } from "../corpus/index.js";
import { modelFolder, openModel } from "./_model.js";

/** An opened model. */
export interface OpenPairEncoder {
  readonly encoder: PairEncoder;
  close(): Promise<void>;
}

/** The model that the options name, as the corpus room takes it. */
export async function pairEncoder(where: string, args: Parameters<typeof openModel>[1]): Promise<OpenPairEncoder> {
  const folder = await modelFolder(where, args);
  const { MODEL_FILES } = await import("../encoder/index.js");
  const model = await openModel(where, args);
  return {
    encoder: {
      name: await sha256File(join(folder, MODEL_FILES.checksums)),
      dim: model.dim,
      embed: (texts, maxLength, signal) =>
        model.embedAll(texts, {
          maxLength: Math.min(maxLength, model.config.maxLength),
          ...(signal === undefined ? {} : { signal }),
        }),
    },
    close: () => model.close(),
  };
}
