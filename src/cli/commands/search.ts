import { wholeNumber } from "../_arguments.js";
import { MODEL_ARGS, openModel } from "../_model.js";
import { command } from "../command.js";
import { thousands } from "../terminal.js";
import type { FolderCounts } from "../../search/index.js";

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
    const onCounts = ({ files, chunks, skipped }: FolderCounts): void => {
      const reasons = Object.entries(skipped).map(([reason, count]) => `${thousands(count)} ${reason}`);
      const passed = reasons.length === 0 ? "" : `; files passed over: ${reasons.join(", ")}`;
      say(`${args.folder}: ${thousands(chunks)} places in ${thousands(files)} files${passed}`);
    };
    const encoder = await openModel("search", args);
    try {
      const hits = await searchFolder(args.folder, args.query, {
        encoder,
        limit,
        signal,
        onProgress: progress,
        onCounts,
      });
      if (args.json === true) return await print(`${JSON.stringify(hits)}\n`);
      const lines = hits.map(
        ({ path, startLine, name, score }) => `${score.toFixed(3)}  ${path}:${startLine}  ${name}\n`,
      );
      return await print(lines.join(""));
    } finally {
      await encoder.close();
    }
  },
});
