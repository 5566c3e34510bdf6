import { parseArgs as tokenise, stripVTControlCharacters } from "node:util";
import { parseArgs, type ArgDef, type ArgsDef, type ParsedArgs } from "citty";
import { messageOf, UserError } from "../base/index.js";
import type { Command } from "./command.js";
import { nearest } from "./_nearest.js";

/**
 * Arguments of a command from what was typed. citty reads them leniently, so what it would pass over is refused first.
 *
 * @throws UserError `arguments.unknown`, `arguments.missing`, `arguments.value`, `arguments.extra`
 */
export function readArguments(command: Command, typed: readonly string[]): ParsedArgs {
  checkOptions(command, typed);
  try {
    return parseArgs([...typed], command.args);
  } catch (error) {
    // citty colours names in its messages by the environment, not by where they go.
    const message = stripVTControlCharacters(messageOf(error));
    throw new UserError("arguments.missing", `${command.name}: ${message[0]!.toLowerCase()}${message.slice(1)}`, {
      fix: seeHelp(command),
    });
  }
}

function checkOptions(command: Command, typed: readonly string[]): void {
  const known = optionNames(command.args);
  const { tokens } = tokenise({
    args: [...typed],
    options: Object.fromEntries([...known].map(([name, { type, short }]) => [name, { type, ...short }])),
    allowPositionals: true,
    allowNegative: true,
    strict: false,
    tokens: true,
  });
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const option = optionOf(known, token);
    if (option === undefined) {
      const closest = token.name.length > 1 ? nearest(token.name, [...known.keys()]) : undefined;
      throw new UserError("arguments.unknown", `${command.name}: unknown option ${token.rawName}`, {
        fix: closest === undefined ? seeHelp(command) : `Did you mean --${closest}?`,
      });
    }
    if (option.type === "string" && (token.value === undefined || token.value === "")) {
      throw new UserError("arguments.value", `${command.name}: expected a value after ${token.rawName}, got none`, {
        fix: seeHelp(command),
      });
    }
    if (option.type === "boolean" && token.value !== undefined && token.value !== "true" && token.value !== "false") {
      throw new UserError("arguments.value", `${command.name}: ${token.rawName} takes no value, got ${token.value}`, {
        fix: seeHelp(command),
      });
    }
    if (option.options !== undefined && !option.options.includes(token.value ?? "")) {
      throw new UserError(
        "arguments.value",
        `${command.name}: expected one of ${option.options.join(", ")} after ${token.rawName}, got ${token.value}`,
        { fix: seeHelp(command) },
      );
    }
    if (seen.has(token.name)) {
      throw new UserError("arguments.value", `${command.name}: expected ${token.rawName} once, got it twice`, {
        fix: "Keep the one that you mean",
      });
    }
    seen.add(token.name);
  }
  const allowed = Object.values(command.args).filter((one) => one.type === "positional").length;
  const positionals = tokens.filter((token) => token.kind === "positional");
  if (!command.variadic && positionals.length > allowed) {
    throw new UserError(
      "arguments.extra",
      `${command.name}: expected ${allowed === 0 ? "no" : `at most ${allowed}`} plain argument${allowed === 1 ? "" : "s"}, got ${JSON.stringify(positionals[allowed]!.value)} too`,
      { fix: seeHelp(command) },
    );
  }
}

interface Option {
  readonly type: "string" | "boolean";
  readonly short: { short?: string };
  /** The values that it may have; any if not given. */
  readonly options?: readonly string[];
}

/** Long names, and one-letter aliases under their long name. */
function optionNames(args: ArgsDef): Map<string, Option> {
  const names = new Map<string, Option>([["help", { type: "boolean", short: { short: "h" } }]]);
  for (const [name, definition] of Object.entries<ArgDef>(args)) {
    if (definition.type === "positional") continue;
    const aliases = "alias" in definition ? [definition.alias ?? []].flat() : [];
    const short = aliases.find((alias) => alias.length === 1);
    const type = definition.type === "boolean" ? "boolean" : "string";
    const options = definition.type === "enum" ? { options: definition.options ?? [] } : {};
    names.set(name, { type, short: short === undefined ? {} : { short }, ...options });
    for (const alias of aliases) if (alias.length > 1) names.set(alias, { type, short: {}, ...options });
  }
  return names;
}

/** The option that a token names: `--no-x` is one where `x` is a switch. */
function optionOf(known: ReadonlyMap<string, Option>, token: { name: string; rawName: string }): Option | undefined {
  if (!token.rawName.startsWith("--no-")) return known.get(token.name);
  const option = known.get(token.rawName.slice("--no-".length));
  return option?.type === "boolean" ? option : known.get(token.rawName.slice("--".length));
}

function seeHelp(command: Command): string {
  return `See lodestone ${command.name} --help`;
}

/**
 * A whole number from an option.
 *
 * @throws UserError `arguments.value`
 */
export function wholeNumber(value: string, option: string, minimum = 1): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && Number.isSafeInteger(number) && number >= minimum) return number;
  throw new UserError("arguments.value", `--${option}: expected a whole number of at least ${minimum}, got ${value}`, {
    fix: `Write it as --${option} ${Math.max(minimum, 8)}`,
  });
}
