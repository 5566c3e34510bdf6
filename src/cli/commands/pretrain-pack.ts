import { UserError } from "../../base/index.js";
import type { ModelConfigInput } from "../../model/index.js";
import {
  latestCheckpoint,
  packStage,
  stage1Plan,
  stage2Plan,
  type Checkpoint,
  type PackedEvent,
  type PackOptions,
  type Stage1ConfigInput,
  type Stage2ConfigInput,
  type TrainEvent,
} from "../../pretrain/index.js";
import { loadTokenizer } from "../../tokenizer/index.js";
import { wholeNumber } from "../_arguments.js";
import { merge } from "../_config.js";
import { COMMON_ARGS, FROM_ARG, modelAndWeights, readPretrainFile, SIZE_NAMES } from "../_pretrain.js";
import { command, type Context } from "../command.js";
import { thousands } from "../terminal.js";

const { corpus, tokenizer, steps, batch, "learning-rate": learningRate, warmup, seed, config } = COMMON_ARGS;

export const pretrainPack = command({
  name: "pretrain pack",
  description:
    "Writes a training run, or a part of it, as one folder that trains with nothing but Python and torch on the machine: " +
    "python FOLDER. The batches are those that pretrain stage1 or stage2 would feed, so it is the same run; pretrain unpack " +
    "brings it back",
  args: {
    stage: { type: "positional", description: "The stage to pack: stage1 or stage2", required: true },
    ...{ corpus, tokenizer, steps, batch, "learning-rate": learningRate, warmup, seed, config },
    out: { type: "string", valueHint: "DIR", description: "The folder to write; new or empty", required: true },
    run: {
      type: "string",
      valueHint: "DIR",
      description: "Go on from this run's newest checkpoint, with its settings",
    },
    updates: {
      type: "string",
      valueHint: "N",
      description: "Pack at most so many updates; all that are left if not given",
    },
    tokens: { type: "string", valueHint: "N", description: "Pack until the batches hold so many tokens" },
    size: { type: "string", valueHint: "NAME", description: `Size of the model: ${SIZE_NAMES} (tiny if not given)` },
    from: FROM_ARG,
    length: { type: "string", valueHint: "N", description: "Stage 1: tokens of a row" },
    objective: {
      type: "enum",
      options: ["R", "D", "P", "S"],
      valueHint: "NAME",
      description: "Stage 1: R random masking, D deobfuscation, P a coin for each document, S first R, then D",
    },
  },
  examples: [
    {
      does: "A whole run",
      line: "lodestone pretrain pack stage1 corpus --tokenizer tokenizer --size tiny --steps 5000 --out packed",
    },
    {
      does: "The next 20 million tokens of a run that has begun",
      line: "lodestone pretrain pack stage1 corpus --tokenizer tokenizer --run runs/one --tokens 20000000 --out packed",
    },
  ],
  async run(args, context) {
    if (args.stage !== "stage1" && args.stage !== "stage2") {
      throw new UserError("arguments.value", `pretrain pack: expected stage1 or stage2, got ${args.stage}`, {
        fix: "Write lodestone pretrain pack stage1 CORPUS ...",
      });
    }
    const tokenizer = await loadTokenizer(args.tokenizer);
    const given = { corpus: args.corpus, tokenizer, signal: context.signal };
    const options = (from?: Checkpoint): PackOptions => ({
      out: args.out,
      ...(from === undefined ? {} : { from }),
      ...(args.updates === undefined ? {} : { updates: wholeNumber(args.updates, "updates") }),
      ...(args.tokens === undefined ? {} : { tokens: wholeNumber(args.tokens, "tokens") }),
    });
    if (args.run !== undefined) {
      refuseSettings(args);
      const checkpoint = await newestOf(args.run, args.stage);
      const { model, training } = checkpoint.meta.config as { model: ModelConfigInput; training: object };
      const resumed = { ...given, model };
      await report(
        args.stage === "stage1"
          ? packStage(await stage1Plan({ ...resumed, config: training as Stage1ConfigInput }), options(checkpoint))
          : packStage(await stage2Plan({ ...resumed, config: training as Stage2ConfigInput }), options(checkpoint)),
        context,
      );
      return;
    }
    const file = await readPretrainFile(args);
    if (args.stage === "stage1") {
      const config = merge(file.training, {
        ...(args.length === undefined ? {} : { length: wholeNumber(args.length, "length") }),
        ...(args.objective === undefined ? {} : { objective: args.objective }),
      }) as Stage1ConfigInput;
      const start = await modelAndWeights("pretrain pack", args, file, tokenizer);
      const plan = await stage1Plan({ ...given, ...start, config });
      await report(packStage(plan, options()), context);
      return;
    }
    refuse("length", args.length, "stage 1");
    refuse("objective", args.objective, "stage 1");
    const start = await modelAndWeights("pretrain pack", args, file, tokenizer);
    const plan = await stage2Plan({ ...given, ...start, config: file.training as Stage2ConfigInput });
    await report(packStage(plan, options()), context);
  },
});

async function newestOf(run: string, stage: string): Promise<Checkpoint> {
  const { checkpoint } = await latestCheckpoint(run);
  if (checkpoint === undefined) {
    throw new UserError("checkpoint.missing", `${run}: expected a run with a checkpoint, got none`, {
      fix: "Leave --run out to pack a run from its beginning",
    });
  }
  if (checkpoint.meta.stage === stage) return checkpoint;
  throw new UserError(
    "checkpoint.mismatch",
    `${run}: expected a run of ${stage}, got one of ${checkpoint.meta.stage}`,
    {
      fix: `Write lodestone pretrain pack ${checkpoint.meta.stage} ...`,
    },
  );
}

/** With --run the settings are those of the run. */
function refuseSettings(args: Readonly<Record<string, unknown>>): void {
  const settings = [
    "config",
    "size",
    "from",
    "steps",
    "batch",
    "learning-rate",
    "warmup",
    "seed",
    "length",
    "objective",
  ];
  for (const name of settings) {
    if (args[name] === undefined) continue;
    throw new UserError("arguments.value", `pretrain pack: expected --run or --${name}, got both`, {
      fix: "The run brings its own settings; --updates and --tokens say how much of it to pack",
    });
  }
}

function refuse(name: string, value: string | undefined, stage: string): void {
  if (value === undefined) return;
  throw new UserError("arguments.value", `pretrain pack: --${name} is for ${stage}`, { fix: "Leave it out" });
}

async function report(
  events: AsyncIterable<TrainEvent | PackedEvent>,
  { progress, say, print, signal }: Pick<Context, "progress" | "say" | "print" | "signal">,
): Promise<void> {
  try {
    for await (const event of events) {
      if (event.kind === "progress") progress(event);
      else if (event.kind === "warning") say(`warning: ${event.message}`);
      else if (event.kind === "packed") {
        const { path, from, to, steps, tokens, batchBytes } = event;
        say(
          `updates ${thousands(from + 1)} to ${thousands(to)} of ${thousands(steps)}: ${thousands(tokens)} tokens in ` +
            `${(batchBytes / 1e6).toFixed(1)} MB of batches; train with: python ${path}`,
        );
        await print(`${path}\n`);
      }
    }
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    say("stopped; nothing was written");
  }
}
