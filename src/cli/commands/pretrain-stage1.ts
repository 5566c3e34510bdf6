import { runStage1, type Stage1ConfigInput } from "../../pretrain/index.js";
import { loadTokenizer } from "../../tokenizer/index.js";
import { wholeNumber } from "../_arguments.js";
import { COMMON_ARGS, follow, FROM_ARG, modelAndWeights, readPretrainFile, SIZE_NAMES } from "../_pretrain.js";
import { merge } from "../_config.js";
import { engineFor } from "../_engine.js";
import { command } from "../command.js";

export const pretrainStage1 = command({
  name: "pretrain stage1",
  description:
    "Trains an encoder by denoising on the corpus's files: random masking and identifier deobfuscation. Called again with " +
    "the same options it goes on where it was stopped, with the same result as without the stop",
  args: {
    ...COMMON_ARGS,
    from: FROM_ARG,
    size: { type: "string", valueHint: "NAME", description: `Size of the model: ${SIZE_NAMES} (tiny if not given)` },
    length: { type: "string", valueHint: "N", description: "Tokens of a row" },
    objective: {
      type: "enum",
      options: ["R", "D", "P", "S"],
      valueHint: "NAME",
      description: "R random masking, D deobfuscation, P a coin for each document, S first R, then D",
    },
    "evaluate-every": {
      type: "string",
      valueHint: "N",
      description: "Updates between evaluations on the corpus's validation split; none if not given",
    },
    "data-workers": {
      type: "string",
      valueHint: "N",
      description: "Threads that prepare batches while the engine computes; decides speed only",
    },
  },
  examples: [
    {
      does: "A thousand updates of the tiny model",
      line: "lodestone pretrain stage1 corpus --tokenizer tokenizer --out runs/one --size tiny --steps 1000",
    },
    {
      does: "All settings from a file",
      line: "lodestone pretrain stage1 corpus --tokenizer tokenizer --out runs/two --config stage1.json",
    },
    {
      does: "Going on from an encoder, on your own files",
      line: "lodestone pretrain stage1 corpus --tokenizer encoder --from encoder --out runs/three --steps 1000",
    },
  ],
  async run(args, context) {
    const file = await readPretrainFile(args);
    const tokenizer = await loadTokenizer(args.tokenizer);
    const config = merge(file.training, {
      ...(args.length === undefined ? {} : { length: wholeNumber(args.length, "length") }),
      ...(args.objective === undefined ? {} : { objective: args.objective }),
      ...(args["evaluate-every"] === undefined
        ? {}
        : { evaluation: { everySteps: wholeNumber(args["evaluate-every"], "evaluate-every") } }),
    });
    const events = runStage1({
      config: config as Stage1ConfigInput,
      ...(await modelAndWeights("pretrain stage1", args, file, tokenizer)),
      corpus: args.corpus,
      tokenizer,
      out: args.out,
      ...(await engineFor(args, file.engine, context)),
      signal: context.signal,
    });
    await follow(events, args.out, tokenizer, context);
  },
});
