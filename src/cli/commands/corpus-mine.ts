import { UserError } from "../../base/index.js";
import { mineNegatives } from "../../corpus/index.js";
import { wholeNumber } from "../_arguments.js";
import { MODEL_ARGS } from "../_model.js";
import { PAIR_ARGS, pairEncoder, pairNumbers } from "../_pair-encoder.js";
import { command } from "../command.js";
import { table, thousands } from "../terminal.js";

export const corpusMine = command({
  name: "corpus mine",
  description:
    "Finds hard negatives for stage 2: for each training pair the functions of its language that an earlier encoder finds most " +
    "similar to its summary, but clearly less than its own. Stopped, it goes on from the vectors that it has",
  args: {
    corpus: { type: "positional", description: "A corpus folder", required: true },
    out: { type: "string", valueHint: "FILE", description: "JSON Lines file to write", required: true },
    ...MODEL_ARGS,
    "per-pair": { type: "string", valueHint: "N", description: "Negatives of each pair, at most", default: "4" },
    margin: {
      type: "string",
      valueHint: "X",
      description: "A negative is less similar than this share of what the own function is",
      default: "0.95",
    },
    "same-name": { type: "boolean", description: "Functions of the same name may be negatives, too" },
    pool: { type: "string", valueHint: "N", description: "Functions among which is looked, about", default: "5000" },
    ...PAIR_ARGS,
    overwrite: { type: "boolean", description: "Replace the file" },
  },
  examples: [
    {
      does: "Four negatives of each pair",
      line: "lodestone corpus mine corpus --model runs/bag/model --out negatives.jsonl",
    },
  ],
  async run(args, { signal, progress, say, print }) {
    const margin = Number(args.margin);
    if (!(margin > 0 && margin <= 1)) {
      throw new UserError("arguments.value", `--margin: expected a number above 0, at most 1, got ${args.margin}`, {
        fix: "Write it as --margin 0.95",
      });
    }
    const options = {
      margin,
      perPair: wholeNumber(args["per-pair"], "per-pair"),
      pool: wholeNumber(args.pool, "pool", 2),
      ...pairNumbers(args),
      sameName: args["same-name"] === true,
      overwrite: args.overwrite === true,
      signal,
    };
    const { encoder, close } = await pairEncoder("corpus mine", args);
    try {
      for await (const event of mineNegatives(args.corpus, args.out, { encoder, ...options })) {
        if (event.kind === "progress") progress(event);
        else {
          const rows = Object.entries(event.languages).map(([lang, { pairs, withNegatives, negatives }]) => [
            lang,
            ...[pairs, withNegatives, negatives].map(thousands),
          ]);
          await print(`${table([["language", "pairs", "with negatives", "negatives"], ...rows])}\n`);
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
