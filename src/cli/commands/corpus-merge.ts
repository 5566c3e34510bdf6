import { mergeCorpora } from "../../corpus/index.js";
import { command } from "../command.js";
import { reportCorpus } from "../_corpus.js";

export const corpusMerge = command({
  name: "corpus merge",
  description:
    "Joins the shards of one corpus build (--shard 1/4, 2/4, ...) to the corpus that a single run would have made, byte " +
    "for byte: duplicates are found across all of them",
  variadic: true,
  args: {
    folder: { type: "positional", description: "Folders of all shards", required: true },
    out: { type: "string", valueHint: "DIR", description: "Folder to write the corpus to", required: true },
    overwrite: { type: "boolean", description: "Replace a corpus of other inputs or of another config" },
  },
  examples: [{ does: "Two shards", line: "lodestone corpus merge part1 part2 --out corpus" }],
  async run(args, context) {
    const options = { signal: context.signal, overwrite: args.overwrite === true };
    for await (const event of mergeCorpora(args._, args.out, options)) {
      if (event.kind === "progress") context.progress(event);
      else if (event.kind === "done") await reportCorpus(event, args.out, context);
    }
  },
});
