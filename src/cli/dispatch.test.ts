import { expect, test } from "vitest";
import type { Context } from "./command.js";
import { COMMANDS } from "./commands/index.js";
import { dispatch } from "./_dispatch.js";

function recorder(): Context & { out: string } {
  return {
    out: "",
    signal: new AbortController().signal,
    progress: () => undefined,
    say: () => undefined,
    print(text) {
      this.out += text;
      return Promise.resolve();
    },
    colour: false,
    readInput: () => Promise.resolve(""),
  };
}

async function run(...typed: string[]): Promise<string> {
  const context = recorder();
  context.print = context.print.bind(context);
  await dispatch(typed, "9.9.9", context);
  return context.out;
}

test("--version and --help", async () => {
  expect(await run("--version")).toBe("9.9.9\n");
  const help = await run("--help");
  for (const { name, description } of COMMANDS) expect(help).toContain(`${name.padEnd(15)}  ${description}`);
});

test.each(COMMANDS.map(({ name }) => name))(
  "lodestone %s --help explains every option and gives examples",
  async (name) => {
    const entry = COMMANDS.find((one) => one.name === name)!;
    const command = await entry.load();
    expect(command.name).toBe(name);
    const help = await run(...name.split(" "), "--help");
    for (const [option, definition] of Object.entries(command.args)) {
      expect(definition.description, option).toMatch(/^[A-Z].{5}/);
      expect(help).toContain(definition.type === "positional" ? option.toUpperCase() : `--${option}`);
    }
    expect(command.examples.length).toBeGreaterThan(0);
    for (const { line } of command.examples) expect(help).toContain(line);
  },
);

test.each(COMMANDS.map(({ name }) => name))("every example of %s is accepted by its own option check", async (name) => {
  const { readArguments } = await import("./_arguments.js");
  const command = await COMMANDS.find((one) => one.name === name)!.load();
  for (const { line } of command.examples) {
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2]!);
    const start = words.indexOf("lodestone") + 1;
    const end = words.findIndex((word, i) => i > start && (word === "<" || word === ">" || word === "|"));
    const typed = words.slice(start + name.split(" ").length, end === -1 ? undefined : end);
    expect(words.slice(start, start + name.split(" ").length).join(" ")).toBe(name);
    expect(() => readArguments(command, typed), line).not.toThrow();
  }
});

test("half a command, a wrong one and none are told apart", async () => {
  await expect(run("pretrain")).rejects.toMatchObject({ code: "command.missing" });
  await expect(run("pretrain", "stage3")).rejects.toThrow(
    "pretrain: expected stage1 or stage2 or pack or unpack, got stage3",
  );
  await expect(run("serach")).rejects.toMatchObject({ code: "command.unknown", fix: "Did you mean lodestone search?" });
  await expect(run()).rejects.toMatchObject({ code: "command.missing" });
  expect(await run("pretrain", "--help")).toContain("stage1|stage2");
});
