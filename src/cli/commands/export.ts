import { UserError } from "../../base/index.js";
import { command } from "../command.js";

export const exportModel = command({
  name: "export",
  description:
    "Writes an encoder in a smaller form. static: one byte a number, for models of size bag; vectors point where the " +
    "original's do, to the rounding of a byte",
  args: {
    model: { type: "string", valueHint: "DIR", description: "Folder of the encoder", required: true },
    out: {
      type: "string",
      valueHint: "DIR",
      description: "The smaller encoder's folder; an encoder that is there is replaced",
      required: true,
    },
    form: { type: "enum", options: ["static"], valueHint: "NAME", description: "The form", default: "static" },
  },
  examples: [
    { does: "After stage 2 of a bag", line: "lodestone export --model runs/bag/model --out encoder --form static" },
  ],
  async run({ model, out }, { print }) {
    const { resolve } = await import("node:path");
    if (resolve(model) === resolve(out)) {
      throw new UserError("arguments.value", "export: expected --out to be another folder than --model, got the same", {
        fix: "The full form is what training continues from: keep it, and give the smaller one a folder of its own",
      });
    }
    const { readEncoder, saveCompact } = await import("../../encoder/index.js");
    await saveCompact(out, await readEncoder(model));
    await print(`${out}\n`);
  },
});
