import type { ArgDef } from "citty";
import { COMMANDS } from "./commands/index.js";
import type { Command } from "./command.js";

/** `lodestone --help`. */
export function mainHelp(version: string): string {
  return [
    `lodestone ${version}: pretrain, ship and search with code encoders`,
    "",
    "Usage: lodestone COMMAND [OPTIONS]",
    "",
    columns(COMMANDS.map((entry) => [entry.name, entry.description])),
    "",
    columns([
      ["--help, -h", "this page, or a command's own with its examples"],
      ["--version, -v", "the version"],
    ]),
    "",
    "Examples:",
    "  lodestone quickstart",
    "  lodestone search --model quickstart/model 'read a file line by line' src",
    "  lodestone corpus build --help",
  ].join("\n");
}

/** The help of a group: `lodestone pretrain --help`. */
export function groupHelp(group: string): string {
  const members = COMMANDS.filter((entry) => entry.name.startsWith(`${group} `));
  return [
    `Usage: lodestone ${group} ${members.map(({ name }) => name.split(" ")[1]).join("|")} [OPTIONS]`,
    "",
    columns(members.map((entry) => [entry.name, entry.description])),
  ].join("\n");
}

/** `lodestone COMMAND --help`: what it takes, then its examples. */
export function commandHelp(command: Command): string {
  const all = Object.entries<ArgDef>(command.args);
  const positionals = all.filter(([, { type }]) => type === "positional");
  const options = all.filter(([, { type }]) => type !== "positional");
  const usage = positionals.map(([name, definition]) => {
    const shown = `${name.toUpperCase()}${command.variadic === true ? "..." : ""}`;
    return isRequired(definition) ? shown : `[${shown}]`;
  });
  return [
    ["Usage: lodestone", command.name, ...usage, "[OPTIONS]"].join(" "),
    "",
    fold(command.description, 100),
    "",
    columns([
      ...positionals.map(([name, definition]): Row => [name.toUpperCase(), explain(definition)]),
      ...options.map(([name, definition]): Row => [spell(name, definition), explain(definition)]),
      ["--help, -h", "This page"],
    ]),
    "",
    "Examples:",
    ...command.examples.map(({ does, line }) => `  # ${does}\n  ${line}`),
  ].join("\n");
}

type Row = readonly [left: string, right: string];

function spell(name: string, definition: ArgDef): string {
  const aliases = "alias" in definition ? [definition.alias ?? []].flat() : [];
  const hint = definition.type === "boolean" ? "" : ` ${definition.valueHint ?? "VALUE"}`;
  return [`--${name}${hint}`, ...aliases.map((alias) => `${alias.length === 1 ? "-" : "--"}${alias}${hint}`)].join(
    ", ",
  );
}

function explain(definition: ArgDef): string {
  const description = definition.description ?? "";
  if (definition.default !== undefined) return `${description} (default: ${definition.default})`;
  return definition.type !== "positional" && isRequired(definition) ? `${description} (required)` : description;
}

function isRequired(definition: ArgDef): boolean {
  if (definition.default !== undefined) return false;
  return definition.type === "positional" ? definition.required !== false : definition.required === true;
}

function columns(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  const indent = " ".repeat(width + 4);
  return rows
    .map(([left, right]) => `  ${left.padEnd(width)}  ${fold(right, Math.max(40, 100 - width), indent)}`)
    .join("\n");
}

/** Breaks a text at spaces into lines of at most `width` characters. */
function fold(text: string, width: number, indent = ""): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join(`\n${indent}`);
}
