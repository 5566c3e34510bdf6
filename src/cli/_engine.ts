import { z } from "zod";
import type { ArgDef } from "citty";
import { parseConfig, UserError } from "../base/index.js";
import { chooseEngine, createEngine, PRECISIONS, type Engine, type EngineOptions } from "../engine/index.js";
import { wholeNumber } from "./_arguments.js";
import type { Context } from "./command.js";

/** Engines that train. */
const TRAINING_ENGINES = ["onnxruntime", "torch", "auto"] as const;

/** Options of commands that train: which engine computes, and how. None of them is a part of the run's settings. */
export const ENGINE_ARGS = {
  engine: {
    type: "enum",
    options: [...TRAINING_ENGINES],
    valueHint: "NAME",
    description: "What computes (onnxruntime if not given); torch needs Python with PyTorch, auto takes the faster",
  },
  precision: {
    type: "enum",
    options: [...PRECISIONS],
    valueHint: "NAME",
    description: "Engine torch: numbers of matrix products (fp32 if not given)",
  },
  python: { type: "string", valueHint: "PATH", description: "Engine torch: its Python" },
  device: { type: "string", valueHint: "NAME", description: "Engine torch: auto, cpu, cuda, cuda:1, mps" },
  threads: { type: "string", valueHint: "N", description: "Threads of the engine; decides speed only" },
} as const satisfies Record<string, ArgDef>;

/** The section `engine` of a config file: the same options, and the rarer ones. */
const engineSchema = z.strictObject({
  name: z.enum(TRAINING_ENGINES).optional(),
  precision: z.enum(PRECISIONS).optional(),
  python: z.string().min(1).optional(),
  device: z.string().min(1).optional(),
  threads: z.int().min(1).optional(),
  /** Compute the layers again in the backward pass: less memory. */
  checkpoint: z.boolean().optional(),
  /** torch.compile. */
  compile: z.boolean().optional(),
  /** Stage 1: threads that prepare batches while the engine computes. */
  dataWorkers: z.int().min(0).optional(),
});

interface EngineValues {
  readonly engine?: string | undefined;
  readonly precision?: string | undefined;
  readonly python?: string | undefined;
  readonly device?: string | undefined;
  readonly threads?: string | undefined;
  readonly "data-workers"?: string | undefined;
}

/**
 * The engine that the options ask for; they go over the config file's section `engine`. What `auto` takes, and why, is
 * said; it leaves out options that the engine taken does not have.
 *
 * @throws UserError `config.invalid`; `arguments.value` where an option is for another engine
 */
export async function engineFor(
  args: EngineValues,
  section: Readonly<Record<string, unknown>> = {},
  { say, signal }: Partial<Pick<Context, "say" | "signal">> = {},
): Promise<{ readonly engine: Engine; readonly engineSettings: EngineOptions; readonly dataWorkers?: number }> {
  const given = {
    ...section,
    ...(args.engine === undefined ? {} : { name: args.engine }),
    ...(args.precision === undefined ? {} : { precision: args.precision }),
    ...(args.python === undefined ? {} : { python: args.python }),
    ...(args.device === undefined ? {} : { device: args.device }),
    ...(args.threads === undefined ? {} : { threads: wholeNumber(args.threads, "threads") }),
    ...(args["data-workers"] === undefined
      ? {}
      : { dataWorkers: wholeNumber(args["data-workers"], "data-workers", 0) }),
  };
  const { name = "onnxruntime", threads, dataWorkers, ...rest } = parseConfig(engineSchema, given, "engine");
  const own = withoutUndefined(rest);
  const shared = {
    engineSettings: threads === undefined ? {} : { threads },
    ...(dataWorkers === undefined ? {} : { dataWorkers }),
  };
  if (name === "auto") {
    const { python, precision } = rest;
    const choice = await chooseEngine(withoutUndefined({ python, precision, threads, signal }));
    say?.(choice.why);
    return { engine: createEngine(choice.engine, choice.engine === "torch" ? own : {}), ...shared };
  }
  const [extra] = Object.keys(own);
  if (name !== "torch" && extra !== undefined) {
    throw new UserError(
      "arguments.value",
      `engine ${name}: expected no ${extra}, got ${String(own[extra as "python"])}`,
      {
        fix: `Add --engine torch, or leave ${extra} out`,
      },
    );
  }
  return { engine: createEngine(name, own), ...shared };
}

/** The entries that have a value. */
function withoutUndefined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
