import { wholeNumber } from "../_arguments.js";
import { MODEL_ARGS, openModel } from "../_model.js";
import { command } from "../command.js";

export const search = command({
  name: "search",
  description:
    "Finds the functions in a folder that do what the query says. Prints file:line, the function's name and the score",
  args: {
    query: { type: "positional", description: "What to look for, in words or as code", required: true },
    folder: { type: "positional", description: "Where to look", default: "." },
    ...MODEL_ARGS,
    number: { type: "string", alias: "n", valueHint: "N", description: "How many to print", default: "10" },
    json: { type: "boolean", description: "Print a JSON array of {path, startLine, endLine, name, score}" },
  },
  examples: [
    { does: "In this folder", line: "lodestone search --model quickstart/model 'parse a date'" },
    { does: "The best three elsewhere", line: "lodestone search 'parse a date' src --model quickstart/model -n 3" },
  ],
  async run(args, { signal, progress, print, say }) {
    const limit = wholeNumber(args.number, "number");
    const { searchFolder } = await import("../../search/index.js");
    const encoder = await openModel("search", args);
    try {
      const hits = await searchFolder(args.folder, args.query, { encoder, limit, signal, onProgress: progress });
      if (args.json === true) return await print(`${JSON.stringify(hits)}\n`);
      if (hits.length === 0) say(`${args.folder}: no functions in any of the nine languages`);
      const lines = hits.map(
        ({ path, startLine, name, score }) => `${score.toFixed(3)}  ${path}:${startLine}  ${name}\n`,
      );
      return await print(lines.join(""));
    } finally {
      await encoder.close();
    }
  },
});
