import { UserError } from "../../base/index.js";
import type { EncoderParts } from "../../encoder/index.js";
import { command } from "../command.js";

export const exportModel = command({
  name: "export",
  description:
    "Writes an encoder in another form, or that of a run in progress. full: with ONNX; half: two bytes a number, to train on " +
    "from or to keep; static: one byte a number, for models of size bag, vectors point where the original's do",
  args: {
    model: { type: "string", valueHint: "DIR", description: "Folder of the encoder" },
    run: { type: "string", valueHint: "DIR", description: "Instead: a run, its newest checkpoint, or one of them" },
    tokenizer: { type: "string", valueHint: "DIR", description: "With --run: folder of its tokenizer.json" },
    out: {
      type: "string",
      valueHint: "DIR",
      description: "The new encoder's folder; an encoder that is there is replaced",
      required: true,
    },
    form: {
      type: "enum",
      options: ["full", "half", "static"],
      valueHint: "NAME",
      description: "The form; if not given, static of a model and full of a run",
    },
  },
  examples: [
    { does: "After stage 2 of a bag", line: "lodestone export --model runs/bag/model --out encoder --form static" },
    {
      does: "What a run has learnt so far",
      line: "lodestone export --run runs/one --tokenizer tokenizer --out encoder",
    },
  ],
  async run({ model, run, tokenizer, out, form }, { print }) {
    const wrong = (expected: string, fix: string): UserError =>
      new UserError("arguments.value", `export: expected ${expected}`, { fix });
    if ((model === undefined) === (run === undefined)) {
      throw wrong(`--model or --run, got ${model === undefined ? "neither" : "both"}`, "Name what is to be written");
    }
    if ((run === undefined) !== (tokenizer === undefined)) {
      throw wrong("--tokenizer with --run, and only with it", "A run does not hold its tokenizer; a model does");
    }
    const { resolve } = await import("node:path");
    if (model !== undefined && resolve(model) === resolve(out)) {
      throw wrong(
        "--out to be another folder than --model, got the same",
        "The full form is what training continues from: keep it, and give the other one a folder of its own",
      );
    }
    const { readEncoder, saveCompact, saveEncoder, saveHalf } = await import("../../encoder/index.js");
    const parts = model === undefined ? await partsOf(run!, tokenizer!) : await readEncoder(model);
    const save = { full: saveEncoder, half: saveHalf, static: saveCompact };
    await save[(form ?? (model === undefined ? "full" : "static")) as keyof typeof save](out, parts);
    await print(`${out}\n`);
  },
});

async function partsOf(run: string, folder: string): Promise<EncoderParts> {
  const [{ readStart }, { loadTokenizer }] = await Promise.all([
    import("../_pretrain.js"),
    import("../../tokenizer/index.js"),
  ]);
  const tokenizer = await loadTokenizer(folder);
  const { model: config, weights, matryoshka } = await readStart(run, tokenizer);
  return { config, weights, tokenizer, matryoshka };
}
