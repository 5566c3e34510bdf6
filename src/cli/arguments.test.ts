import { expect, test } from "vitest";
import { UserError } from "../base/index.js";
import { readArguments, wholeNumber } from "./_arguments.js";
import { command } from "./command.js";
import { nearest } from "./_nearest.js";

const tool = command({
  name: "tool",
  description: "A command for tests",
  args: {
    input: { type: "positional", description: "in", required: true },
    model: { type: "string", description: "a folder", valueHint: "DIR" },
    count: { type: "string", alias: "n", description: "how many", default: "10" },
    kind: { type: "enum", options: ["a", "b"], description: "which" },
    json: { type: "boolean", description: "as JSON" },
  },
  examples: [],
  run: () => Promise.resolve(),
});

function complaint(...typed: string[]): string {
  try {
    readArguments(tool, typed);
  } catch (error) {
    if (error instanceof UserError) return `${error.code} ${error.toLine()}`;
    throw error;
  }
  return "";
}

test("options in every spelling", () => {
  expect(readArguments(tool, ["x", "--model", "m", "-n", "5", "--json"])).toMatchObject({
    input: "x",
    model: "m",
    count: "5",
    json: true,
  });
  expect(readArguments(tool, ["--model=m", "x", "-n5"])).toMatchObject({ model: "m", count: "5", input: "x" });
  expect(readArguments(tool, ["x"])).toMatchObject({ count: "10" });
  expect(readArguments(tool, ["--", "--model"])).toMatchObject({ input: "--model" });
  expect(readArguments(tool, ["x", "--no-json"])).toMatchObject({ json: false });
});

test("what citty would pass over is an error that says how to go on", () => {
  expect(complaint("x", "--modle", "m")).toBe("arguments.unknown tool: unknown option --modle. Did you mean --model?");
  expect(complaint("x", "--frobnicate")).toMatch(/^arguments.unknown tool: unknown option --frobnicate. See lodestone/);
  expect(complaint("x", "-z")).toMatch(/unknown option -z/);
  expect(complaint("x", "--no-model")).toMatch(/unknown option --no-model/);
  expect(complaint("x", "--model")).toMatch(/^arguments.value tool: expected a value after --model, got none/);
  expect(complaint("x", "--json=maybe")).toMatch(/--json takes no value, got maybe/);
  expect(complaint("x", "--model", "a", "--model", "b")).toMatch(/expected --model once, got it twice/);
  expect(complaint("x", "y")).toMatch(/^arguments.extra tool: expected at most 1 plain argument, got "y" too/);
  expect(complaint()).toMatch(/^arguments.missing tool: missing required positional argument: INPUT/);
  expect(complaint("x", "--kind", "c")).toBe(
    "arguments.value tool: expected one of a, b after --kind, got c. See lodestone tool --help",
  );
});

test("whole numbers only, in the range", () => {
  expect(wholeNumber("12", "steps")).toBe(12);
  for (const bad of ["0", "-1", "1.5", "1e3", "ten", ""]) {
    expect(() => wholeNumber(bad, "steps")).toThrow(/--steps: expected a whole number of at least 1, got/);
  }
});

test("the nearest name is within two edits, and not any short one", () => {
  expect(nearest("embde", ["embed", "search"])).toBe("embed");
  expect(nearest("x", ["n", "m"])).toBeUndefined();
  expect(nearest("frobnicate", ["model"])).toBeUndefined();
});
