import { HIT_ARGS, INDEX_ARGS, openFor, printAnswer, readCode, searchOptions } from "../_search.js";
import { command } from "../command.js";

export const similar = command({
  name: "similar",
  description: "Finds what is most like some code",
  args: {
    folder: { type: "positional", description: "Where to look", default: "." },
    code: { type: "string", valueHint: "FILE", description: "The code; - for standard input", required: true },
    ...HIT_ARGS,
    ...INDEX_ARGS,
  },
  examples: [{ does: "What resembles the clipboard", line: "pbpaste | lodestone similar --code -" }],
  async run(args, context) {
    const options = await searchOptions(args, context);
    const code = await readCode(args.code, context);
    const index = await openFor(args.folder, args, context);
    try {
      await printAnswer(await index.similar(code, options), args.folder, args.json === true, context);
    } finally {
      await index.close();
    }
  },
});
