import { HIT_ARGS, INDEX_ARGS, openFor, printAnswer, refineAll, searchOptions } from "../_search.js";
import { command } from "../command.js";

export const search = command({
  name: "search",
  description: "Finds the places in a folder that answer a query: a question, words, or a name. Indexes on first use",
  args: {
    query: { type: "positional", description: "What to look for", required: true },
    folder: { type: "positional", description: "Where to look", default: "." },
    ...HIT_ARGS,
    explain: { type: "boolean", description: "Tell how each score came about" },
    deep: { type: "boolean", description: "Let the full encoder read everything first" },
    ...INDEX_ARGS,
  },
  examples: [
    { does: "In this folder", line: "lodestone search 'parse a date'" },
    { does: "A definition elsewhere", line: "lodestone search parseDate ~/src/app -n 3" },
    { does: "For a program", line: "lodestone search 'how are retries configured' --json --type function,config" },
  ],
  async run(args, context) {
    const options = await searchOptions(args, context);
    const index = await openFor(args.folder, args, context);
    try {
      const { tiers, answersFrom } = await index.status();
      // Where only a full encoder is given, there is nothing else to answer from.
      if (args.deep === true || (index.hasFull && tiers.static.chunks === 0 && answersFrom !== "full")) {
        await refineAll(index, context.signal);
      }
      const answer = await index.search(args.query, { ...options, explain: args.explain === true });
      await printAnswer(answer, args.folder, args.json === true, context);
    } finally {
      await index.close();
    }
  },
});
