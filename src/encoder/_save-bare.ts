import { join } from "node:path";
import { writeFileAtomic, writeSafetensors, type Tensor } from "../base/index.js";
import { writeChecksums } from "./_checksums.js";
import { configText } from "./_configs.js";
import { FILES } from "./_files.js";
import { replaceFolder } from "./_replace-folder.js";
import { isModelFolder, type EncoderParts } from "./save.js";

/** A model folder of weights, configuration and tokenizer alone: no ONNX file, nothing for other libraries. */
export async function saveBare(
  folder: string,
  parts: Omit<EncoderParts, "weights"> & { readonly stored: Readonly<Record<string, Tensor>> },
): Promise<void> {
  const { config, tokenizer, matryoshka, stored } = parts;
  await replaceFolder(folder, isModelFolder, async (temporary) => {
    await writeSafetensors(join(temporary, FILES.weights), stored, { format: "pt" });
    const texts: Record<string, string> = {
      [FILES.tokenizer]: tokenizer.source,
      [FILES.tokenizerConfig]: tokenizer.configText(config.maxLength),
      [FILES.config]: configText(config, tokenizer, matryoshka),
    };
    for (const [name, text] of Object.entries(texts)) await writeFileAtomic(join(temporary, name), text);
    await writeChecksums(temporary, [FILES.weights, ...Object.keys(texts)]);
  });
}
