import { join } from "node:path";
import type { ArgDef } from "citty";
import { sha256File } from "../base/index.js";
import type { PairEncoder } from "../corpus/index.js";
import { wholeNumber } from "./_arguments.js";
import { modelFolder, openModel } from "./_model.js";

/** How an encoder reads the pairs of a corpus's pairs. */
export const PAIR_ARGS = {
  seed: { type: "string", valueHint: "N", description: "Seed of the pools", default: "0" },
  "text-length": { type: "string", valueHint: "N", description: "Tokens read of a summary", default: "64" },
  "code-length": { type: "string", valueHint: "N", description: "Tokens read of a function", default: "256" },
} as const satisfies Record<string, ArgDef>;

/** Their values. @throws UserError `arguments.value` */
export function pairNumbers(args: { readonly [Name in "seed" | "text-length" | "code-length"]: string }): {
  readonly seed: number;
  readonly textLength: number;
  readonly codeLength: number;
} {
  return {
    seed: wholeNumber(args.seed, "seed", 0),
    textLength: wholeNumber(args["text-length"], "text-length", 2),
    codeLength: wholeNumber(args["code-length"], "code-length", 2),
  };
}

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
