import type { ArgsDef, ParsedArgs } from "citty";
import type { ProgressListener } from "../base/index.js";

/** What a command may do to the world outside files. `main.ts` gives the real one, tests a recording one. */
export interface Context {
  /** Aborted by the first Ctrl-C: finish the write in hand and return. */
  readonly signal: AbortSignal;
  readonly progress: ProgressListener;
  /** One line to standard error, above the progress bar. */
  say(line: string): void;
  /** Text to standard output, as it is. @throws UserError `output.full`, `output.unwritable` */
  print(text: string): Promise<void>;
  /** Whether standard output is a terminal that may be coloured. */
  readonly colour: boolean;
  /** Standard input, whole. */
  readInput(): Promise<string>;
}

export interface Example {
  readonly does: string;
  readonly line: string;
}

/** A command is data: what it takes, examples for `--help`, and what it does. */
export interface Command<T extends ArgsDef = ArgsDef> {
  /** As typed: `corpus build`. */
  readonly name: string;
  readonly description: string;
  readonly args: T;
  readonly examples: readonly Example[];
  /**
   * How many positional arguments may follow the named ones: `lodestone corpus build A B C`. They come in `args._`, which
   * holds all positional arguments.
   */
  readonly variadic?: boolean;
  run(args: ParsedArgs<T>, context: Context): Promise<void>;
}

/** Keeps the literal types of `args` for `run`; the list of commands holds them all as one type. */
export function command<const T extends ArgsDef>(definition: Command<T>): Command {
  return definition as unknown as Command;
}
