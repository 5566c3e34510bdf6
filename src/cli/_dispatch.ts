import { UserError } from "../base/index.js";
import { COMMANDS } from "./commands/index.js";
import { readArguments } from "./_arguments.js";
import type { Context } from "./command.js";
import { commandHelp, groupHelp, mainHelp } from "./_help.js";
import { nearest } from "./_nearest.js";

/**
 * Runs what was typed after `lodestone`.
 *
 * @throws UserError `command.unknown`, `command.missing`, those of {@link readArguments} and the command's own
 */
export async function dispatch(typed: readonly string[], version: string, context: Context): Promise<void> {
  const asksHelp = beforeTerminator(typed).some((one) => one === "--help" || one === "-h");
  const entry = COMMANDS.find(({ name }) => name.split(" ").every((word, i) => typed[i] === word));
  if (entry !== undefined) {
    const command = await entry.load();
    if (asksHelp) return context.print(`${commandHelp(command)}\n`);
    const args = readArguments(command, typed.slice(entry.name.split(" ").length));
    return command.run(args, context);
  }
  const [first, second] = typed;
  if (first === "--version" || first === "-v") return context.print(`${version}\n`);
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name.split(" ")[1]!);
  if (asksHelp && (first?.startsWith("-") || first === undefined)) return context.print(`${mainHelp(version)}\n`);
  if (asksHelp && group.length > 0) return context.print(`${groupHelp(first!)}\n`);
  if (first === undefined) {
    throw new UserError("command.missing", "expected a command, got none", { fix: "See lodestone --help" });
  }
  if (group.length > 0) {
    throw new UserError("command.missing", `${first}: expected ${group.join(" or ")}, got ${second ?? "nothing"}`, {
      fix: `See lodestone ${first} --help`,
    });
  }
  const closest = nearest(first, [...new Set(COMMANDS.map(({ name }) => name.split(" ")[0]!))]);
  throw new UserError("command.unknown", `unknown command ${first}`, {
    fix: closest === undefined ? "See lodestone --help" : `Did you mean lodestone ${closest}?`,
  });
}

function beforeTerminator(typed: readonly string[]): readonly string[] {
  const end = typed.indexOf("--");
  return end === -1 ? typed : typed.slice(0, end);
}
