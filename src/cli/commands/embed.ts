import { readJsonl, UserError, writeNpyRows } from "../../base/index.js";
import { wholeNumber } from "../_arguments.js";
import { MODEL_ARGS, openModel } from "../_model.js";
import { command } from "../command.js";
import { thousands } from "../terminal.js";

export const embed = command({
  name: "embed",
  description:
    "Turns texts (code or words) into vectors of length 1; their dot product is the cosine similarity. Without --input, " +
    "standard input is one text and the vector is printed as a JSON array",
  args: {
    ...MODEL_ARGS,
    input: { type: "string", valueHint: "FILE", description: "JSON Lines, one text in each" },
    field: { type: "string", valueHint: "NAME", description: "Where in a line's object the text is", default: "text" },
    output: { type: "string", valueHint: "FILE", description: "NumPy file, one float32 row a line, in order" },
    "max-length": { type: "string", valueHint: "N", description: "Tokens of a text; what is longer is cut" },
  },
  examples: [
    { does: "One text", line: "lodestone embed --model quickstart/model < src/index.js" },
    {
      does: 'A file of texts, each line an object such as {"text": "..."}',
      line: "lodestone embed --model quickstart/model --input texts.jsonl --field text --output vectors.npy",
    },
  ],
  async run(args, { signal, progress, print, readInput }) {
    const { input, output } = args;
    if ((input === undefined) !== (output === undefined)) {
      throw new UserError("arguments.missing", "embed: expected --input and --output together, got one of them", {
        fix: "Give both, or neither to embed one text from standard input",
      });
    }
    const maxLength =
      args["max-length"] === undefined ? {} : { maxLength: wholeNumber(args["max-length"], "max-length", 2) };
    const encoder = await openModel("embed", args);
    try {
      if (input === undefined || output === undefined) {
        const text = (await readInput()).replace(/\r?\n$/, ""); // The line break that `echo` adds is no part of the text.
        for await (const vector of encoder.embed([text], { ...maxLength, signal })) {
          await print(`${JSON.stringify(Array.from(vector))}\n`);
        }
        return;
      }
      const vectors = encoder.embed(fieldOf(input, args.field), { ...maxLength, signal, onProgress: progress });
      const rows = await writeNpyRows(output, encoder.dim, vectors);
      await print(`${output}: ${thousands(rows)} vectors of ${encoder.dim}\n`);
    } finally {
      await encoder.close();
    }
  },
});

/** One string of each line's object. @throws UserError `input.field`, `input.unreadable` */
async function* fieldOf(path: string, field: string): AsyncGenerator<string> {
  let row = 0;
  for await (const value of readJsonl(path)) {
    row += 1;
    const text = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[field] : undefined;
    if (typeof text !== "string") {
      const got = text === undefined ? "none" : JSON.stringify(text).slice(0, 40);
      throw new UserError("input.field", `${path}: expected a string "${field}" in row ${row}, got ${got}`, {
        fix: "Name the field that holds the text with --field",
      });
    }
    yield text;
  }
}
