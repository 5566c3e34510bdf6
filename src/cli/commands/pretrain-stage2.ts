import { join } from "node:path";
import { runStage2, type Stage2ConfigInput } from "../../pretrain/index.js";
import { loadTokenizer } from "../../tokenizer/index.js";
import { COMMON_ARGS, follow, FROM_ARG, modelAndWeights, readPretrainFile, SIZE_NAMES } from "../_pretrain.js";
import { pairEncoder } from "../_pair-encoder.js";
import { engineFor } from "../_engine.js";
import { command } from "../command.js";

export const pretrainStage2 = command({
  name: "pretrain stage2",
  description:
    "Trains an encoder to put a summary and its function close together, on the corpus's pairs. Begins with the result of " +
    "stage 1, or from scratch. Called again with the same options it goes on where it was stopped",
  args: {
    ...COMMON_ARGS,
    from: FROM_ARG,
    size: { type: "string", valueHint: "NAME", description: `Without --from: size of the model, ${SIZE_NAMES}` },
  },
  examples: [
    {
      does: "After stage 1",
      line: "lodestone pretrain stage2 corpus --tokenizer tokenizer --from runs/one --out runs/two --steps 500",
    },
    {
      does: "From scratch, with settings from a file",
      line: "lodestone pretrain stage2 corpus --tokenizer tokenizer --out runs/three --size tiny --config stage2.json",
    },
  ],
  async run(args, context) {
    const file = await readPretrainFile(args);
    const tokenizer = await loadTokenizer(args.tokenizer);
    const start = await modelAndWeights("pretrain stage2", args, file, tokenizer);
    const engine = await engineFor(args, file.engine, context);
    const config = file.training as Stage2ConfigInput;
    const model = config.teacher?.model;
    const teacher = typeof model === "string" ? await pairEncoder("pretrain stage2", { model }) : undefined;
    const events = runStage2({
      config,
      ...start,
      corpus: args.corpus,
      tokenizer,
      out: args.out,
      ...engine,
      ...(teacher === undefined ? {} : { teacher: { encoder: teacher.encoder, cache: join(args.out, "teacher") } }),
      signal: context.signal,
    });
    try {
      await follow(events, args.out, tokenizer, context);
    } finally {
      await teacher?.close();
    }
  },
});
