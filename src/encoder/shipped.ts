import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FILES } from "./_files.js";

/** Forms of the encoder that comes with the package: a bag of token vectors, and a Transformer in whole numbers. */
export const MODEL_FORMS = ["static", "int8"] as const;
export type ModelForm = (typeof MODEL_FORMS)[number];

/** Folder of the shipped encoder of a form, undefined where the package has none. */
export function shippedModel(form: ModelForm): string | undefined {
  const folder = fileURLToPath(new URL(`../../models/${form}`, import.meta.url));
  return existsSync(join(folder, FILES.checksums)) ? folder : undefined;
}
