import { HIT_ARGS, INDEX_ARGS, openFor, placeOf, printAnswer, searchOptions } from "../_search.js";
import { command } from "../command.js";

export const related = command({
  name: "related",
  description: "Finds what is most like the code at a place",
  args: {
    place: { type: "positional", description: "FILE:LINE", required: true },
    folder: { type: "positional", description: "Where to look", default: "." },
    ...HIT_ARGS,
    ...INDEX_ARGS,
  },
  examples: [{ does: "What resembles the function at line 42", line: "lodestone related src/date.ts:42" }],
  async run(args, context) {
    const { path, line } = placeOf(args.place);
    const options = await searchOptions(args, context);
    const index = await openFor(args.folder, args, context);
    try {
      await printAnswer(await index.related(path, line, options), args.folder, args.json === true, context);
    } finally {
      await index.close();
    }
  },
});
