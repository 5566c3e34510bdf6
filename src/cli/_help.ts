import { renderUsage } from "citty";
import { COMMANDS } from "./commands/index.js";
import type { Command } from "./command.js";

/** `lodestone --help`. */
export function mainHelp(version: string): string {
  const width = Math.max(...COMMANDS.map((entry) => entry.name.length));
  return [
    `lodestone ${version}: pretrain, ship and search with code encoders`,
    "",
    "USAGE  lodestone COMMAND [OPTIONS]",
    "",
    ...COMMANDS.map((entry) => `  ${entry.name.padEnd(width)}  ${entry.description}`),
    "",
    "  --help, -h     this page, or a command's own with its examples",
    "  --version, -v  the version",
    "",
    "EXAMPLES",
    "",
    "  lodestone quickstart",
    "  lodestone search --model quickstart/model 'read a file line by line' src",
    "  lodestone corpus build --help",
  ].join("\n");
}

/** `lodestone COMMAND --help`: what it takes, then its examples. */
export async function commandHelp(command: Command): Promise<string> {
  const usage = await renderUsage({
    meta: { name: `lodestone ${command.name}`, description: command.description },
    args: command.args,
  });
  const examples = command.examples.map(({ does, line }) => `  # ${does}\n  ${line}\n`);
  return `${plain(usage).trimEnd()}\n\nEXAMPLES\n\n${examples.join("\n").trimEnd()}`;
}

/** The help of a group: `lodestone pretrain --help`. */
export function groupHelp(group: string): string {
  const members = COMMANDS.filter((entry) => entry.name.startsWith(`${group} `));
  return members.map((entry) => `lodestone ${entry.name}: ${entry.description}. See --help there`).join("\n");
}

/** Help goes to files and pipes too, and citty colours by the environment alone. */
function plain(text: string): string {
  return text.replace(new RegExp("\\u001b\\[\\d+m", "g"), "");
}
