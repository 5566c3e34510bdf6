import type { ArgDef } from "citty";
import { UserError } from "../base/index.js";
import { wholeNumber } from "./_arguments.js";
import type { Embedder, ModelForm } from "../encoder/index.js";

/** Options of every command that embeds. */
export const MODEL_ARGS = {
  model: { type: "string", valueHint: "DIR", description: "Folder of the encoder (default: the one of the package)" },
  form: {
    type: "enum",
    options: ["static", "int8"],
    valueHint: "NAME",
    description: "Which of the package's encoders: static (at once) or int8 (better, slower); without --model only",
  },
  threads: { type: "string", valueHint: "N", description: "Threads of the engine" },
} as const satisfies Record<string, ArgDef>;

interface ModelValues {
  readonly model?: string | undefined;
  readonly form?: string | undefined;
  readonly threads?: string | undefined;
}

/**
 * The encoder that `--model` names, or the package's own. The engine is loaded here, not before: errors in other options
 * come at once.
 *
 * @throws UserError `arguments.value`, `model.not-shipped` and those of `openEncoder`
 */
export async function openModel(where: string, args: ModelValues): Promise<Embedder> {
  const threads = args.threads === undefined ? {} : { threads: wholeNumber(args.threads, "threads") };
  const { openEncoder } = await import("../encoder/index.js");
  return openEncoder(await modelFolder(where, args), threads);
}

/** The folder that `--model` names, or the package's own. @throws UserError `arguments.value`, `model.not-shipped` */
export async function modelFolder(where: string, { model, form }: ModelValues): Promise<string> {
  if (model !== undefined) {
    if (form === undefined) return model;
    throw new UserError("arguments.value", `${where}: expected --model or --form, got both`, {
      fix: "--form chooses among the encoders of the package; leave it out with a folder of your own",
    });
  }
  const { defaultModel } = await import("../encoder/index.js");
  return form === undefined ? defaultModel() : defaultModel([form as ModelForm]);
}
