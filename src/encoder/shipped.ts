import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../base/index.js";
import { FILES } from "./_files.js";

/** Forms of the encoder that comes with the package: a bag of token vectors, and a Transformer in whole numbers. */
export const MODEL_FORMS = ["static", "int8"] as const;
export type ModelForm = (typeof MODEL_FORMS)[number];

/** Folder of the shipped encoder of a form, undefined where the package has none. */
export function shippedModel(form: ModelForm): string | undefined {
  const folder = fileURLToPath(new URL(`../../models/${form}`, import.meta.url));
  return existsSync(join(folder, FILES.checksums)) ? folder : undefined;
}

/**
 * Folder of the first of these forms that the package has.
 *
 * @throws UserError `model.not-shipped`
 */
export function defaultModel(forms: readonly ModelForm[] = MODEL_FORMS): string {
  for (const form of forms) {
    const folder = shippedModel(form);
    if (folder !== undefined) return folder;
  }
  throw new UserError(
    "model.not-shipped",
    `encoder: expected the package to have one, but it has no ${forms.join(" or ")} one`,
    {
      fix: "Name another form, or the folder of a model (--model DIR)",
    },
  );
}
