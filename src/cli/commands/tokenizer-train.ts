import { sha256, UserError } from "../../base/index.js";
import { readDocuments, readPairs } from "../../corpus/index.js";
import { trainTokenizer } from "../../tokenizer/index.js";
import { wholeNumber } from "../_arguments.js";
import { command } from "../command.js";
import { thousands } from "../terminal.js";

export const tokenizerTrain = command({
  name: "tokenizer train",
  description:
    "Trains a byte-level BPE vocabulary on a corpus's training split: its files, and the summaries of its pairs. Writes a " +
    "tokenizer.json that other libraries read too",
  args: {
    corpus: { type: "positional", description: "A corpus folder", required: true },
    out: { type: "string", valueHint: "DIR", description: "Folder to write tokenizer.json to", required: true },
    "vocab-size": { type: "string", valueHint: "N", description: "Tokens in all", default: "16384" },
    "split-identifiers": { type: "boolean", description: "Never merge across camelCase, snake_case and digits" },
    lowercase: { type: "boolean", description: "Lower-case all text first" },
    whitespace: {
      type: "enum",
      options: ["attach", "drop"],
      valueHint: "NAME",
      description: "Attach: a space belongs to the token behind it; drop: white space and _ only part tokens (bags)",
    },
    share: { type: "string", valueHint: "X", description: "Part of the corpus that is read, 0 to 1", default: "1" },
  },
  examples: [
    { does: "The usual vocabulary", line: "lodestone tokenizer train corpus --out tokenizer" },
    {
      does: "A small one over the words inside names",
      line: "lodestone tokenizer train corpus --out tokenizer --vocab-size 8192 --split-identifiers",
    },
    {
      does: "For a static bag, from a tenth of a large corpus",
      line: "lodestone tokenizer train corpus --out tokenizer --split-identifiers --lowercase --whitespace drop --share 0.1",
    },
  ],
  async run(args, { signal, progress, print }) {
    const share = Number(args.share);
    if (!(share > 0 && share <= 1)) {
      throw new UserError("arguments.value", `--share: expected a number above 0 and up to 1, got ${args.share}`, {
        fix: "Write it as --share 0.1",
      });
    }
    const tokenizer = await trainTokenizer(texts(args.corpus, share), {
      vocabSize: wholeNumber(args["vocab-size"], "vocab-size"),
      splitIdentifiers: args["split-identifiers"] === true,
      lowercase: args.lowercase === true,
      ...(args.whitespace === undefined ? {} : { whitespace: args.whitespace }),
      signal,
      onProgress: progress,
    });
    await tokenizer.save(args.out);
    await print(`${args.out}: ${thousands(tokenizer.vocabSize)} tokens\n`);
  },
});

/** Files and summaries; a share of both is chosen by their ids, so that it is the same every time. */
async function* texts(corpus: string, share: number): AsyncGenerator<string> {
  const isChosen = (id: string): boolean =>
    share === 1 || Number.parseInt(sha256(`tokenizer ${id}`).slice(0, 8), 16) < share * 2 ** 32;
  for await (const { id, text } of readDocuments(corpus)) if (isChosen(id)) yield text;
  for await (const { id, summary } of readPairs(corpus)) if (isChosen(id)) yield summary;
}
