import type { ArgDef } from "citty";
import { UserError } from "../base/index.js";
import { wholeNumber } from "./_arguments.js";
import type { Encoder } from "../encoder/index.js";

/** Options of every command that embeds. */
export const MODEL_ARGS = {
  model: { type: "string", valueHint: "DIR", description: "Folder of the encoder (required)" },
  threads: { type: "string", valueHint: "N", description: "Threads of the engine" },
} as const satisfies Record<string, ArgDef>;

/**
 * The encoder that `--model` names. The engine is loaded here, not before: errors in other options come at once.
 *
 * @throws UserError `arguments.missing` and those of `loadEncoder`
 */
export async function openModel(
  where: string,
  args: { readonly model?: string | undefined; readonly threads?: string | undefined },
): Promise<Encoder> {
  if (args.model === undefined) {
    throw new UserError("arguments.missing", `${where}: expected an encoder, got none`, {
      fix: "Give its folder with --model DIR; `lodestone quickstart` writes one to quickstart/model",
    });
  }
  const threads = args.threads === undefined ? {} : { threads: wholeNumber(args.threads, "threads") };
  const { loadEncoder } = await import("../encoder/index.js");
  return loadEncoder(args.model, threads);
}
