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
  },
  examples: [
    { does: "The usual vocabulary", line: "lodestone tokenizer train corpus --out tokenizer" },
    {
      does: "A small one over the words inside names",
      line: "lodestone tokenizer train corpus --out tokenizer --vocab-size 8192 --split-identifiers",
    },
  ],
  async run(args, { signal, progress, print }) {
    const tokenizer = await trainTokenizer(texts(args.corpus), {
      vocabSize: wholeNumber(args["vocab-size"], "vocab-size"),
      splitIdentifiers: args["split-identifiers"] === true,
      lowercase: args.lowercase === true,
      signal,
      onProgress: progress,
    });
    await tokenizer.save(args.out);
    await print(`${args.out}: ${thousands(tokenizer.vocabSize)} tokens\n`);
  },
});

async function* texts(corpus: string): AsyncGenerator<string> {
  for await (const { text } of readDocuments(corpus)) yield text;
  for await (const { summary } of readPairs(corpus)) yield summary;
}
