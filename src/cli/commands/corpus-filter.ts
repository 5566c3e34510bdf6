import { filterCorpus, type FilterReport } from "../../corpus/index.js";
import { wholeNumber } from "../_arguments.js";
import { MODEL_ARGS } from "../_model.js";
import { PAIR_ARGS, pairEncoder, pairNumbers } from "../_pair-encoder.js";
import { command } from "../command.js";
import { table, thousands } from "../terminal.js";

export const corpusFilter = command({
  name: "corpus filter",
  description:
    "Keeps the training pairs that an earlier encoder finds consistent: it ranks each function for its summary among random " +
    "functions of its language, and the pair is kept where it comes first or nearly so. Writes a new corpus; held-out pairs " +
    "and documents stay as they are. Stopped, it goes on from the vectors that it has",
  args: {
    corpus: { type: "positional", description: "A corpus folder", required: true },
    out: { type: "string", valueHint: "DIR", description: "Folder to write the corpus to", required: true },
    ...MODEL_ARGS,
    pool: { type: "string", valueHint: "N", description: "Functions that one is ranked among, about", default: "1000" },
    top: { type: "string", valueHint: "N", description: "Ranks that are kept", default: "2" },
    ...PAIR_ARGS,
    overwrite: { type: "boolean", description: "Replace another corpus in the folder" },
  },
  examples: [
    {
      does: "By an encoder of your own",
      line: "lodestone corpus filter corpus --model runs/bag/model --out filtered --pool 1000 --top 2",
    },
  ],
  async run(args, context) {
    const { signal, progress, say, print } = context;
    const numbers = {
      pool: wholeNumber(args.pool, "pool", 2),
      top: wholeNumber(args.top, "top"),
      ...pairNumbers(args),
    };
    const { encoder, close } = await pairEncoder("corpus filter", args);
    try {
      const options = { encoder, ...numbers, overwrite: args.overwrite === true, signal };
      for await (const event of filterCorpus(args.corpus, args.out, options)) {
        if (event.kind === "progress") progress(event);
        else if (event.kind === "done") {
          if (event.reused) say(`${args.out} holds this corpus already`);
          await print(`${keptTable(event.manifest.filters!.at(-1)!)}\n`);
        }
      }
    } catch (error) {
      if (signal.aborted) say("stopped; run the same command again to go on");
      throw error;
    } finally {
      await close();
    }
  },
});

function keptTable({ languages }: FilterReport): string {
  const rows = Object.entries(languages);
  const sum = (of: "pairs" | "kept"): number => rows.reduce((total, [, counts]) => total + counts[of], 0);
  const line = (name: string, pairs: number, kept: number, mrr: string): string[] => [
    name,
    thousands(pairs),
    thousands(kept),
    `${((100 * kept) / pairs).toFixed(1)}%`,
    mrr,
  ];
  return table([
    ["language", "pairs", "kept", "share", "MRR"],
    ...rows.map(([lang, { pairs, kept, mrr }]) => line(lang, pairs, kept, mrr.toFixed(3))),
    line("all", sum("pairs"), sum("kept"), ""),
  ]);
}
