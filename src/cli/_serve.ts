import { createRequire } from "node:module";
import { UserError } from "../base/index.js";
import { MODEL_FORMS, shippedModel } from "../encoder/index.js";
import { isStaticFolder, shippedModels, type EncoderFolders } from "../search/index.js";

/** The package's version. */
export function readVersion(): string {
  return (createRequire(import.meta.url)("../../package.json") as { version: string }).version;
}

/** The folder that answers for embeddings, and the encoders of the search; without options those of the package. */
export async function servedModels(
  given: string | undefined,
  full: string | undefined,
): Promise<{ model: string | undefined; encoder: EncoderFolders }> {
  const model = given ?? full ?? MODEL_FORMS.map(shippedModel).find((folder) => folder !== undefined);
  const first: EncoderFolders =
    given === undefined ? shippedModels() : (await isStaticFolder(given)) ? { static: given } : { full: given };
  return { model, encoder: full === undefined ? first : { ...first, full } };
}

/** What `--rebuild` and `--keep-both` ask for. @throws UserError `arguments.value` for both */
export function modelChoice(
  where: string,
  args: { readonly rebuild?: boolean | undefined; readonly "keep-both"?: boolean | undefined },
): "rebuild" | "keep-both" | "refuse" {
  if (args.rebuild === true && args["keep-both"] === true) {
    throw new UserError("arguments.value", `${where}: expected --rebuild or --keep-both, got both`, {
      fix: "Leave one out",
    });
  }
  return args.rebuild === true ? "rebuild" : args["keep-both"] === true ? "keep-both" : "refuse";
}
