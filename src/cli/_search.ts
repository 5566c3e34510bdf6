import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ArgDef } from "citty";
import { UserError } from "../base/index.js";
import type { Answer, Encoders, Hit, OpenIndexOptions, SearchIndex, SearchOptions } from "../search/index.js";
import { wholeNumber } from "./_arguments.js";
import { highlight } from "./_highlight.js";
import type { Context } from "./command.js";
import { thousands } from "./terminal.js";

/** Options of every command that opens an index. */
export const INDEX_ARGS = {
  model: {
    type: "string",
    valueHint: "DIR",
    description: "Folder of the encoder; without one, words alone are compared",
  },
  full: { type: "string", valueHint: "DIR", description: "Folder of a second, full encoder that refines (see --deep)" },
  index: {
    type: "string",
    valueHint: "DIR",
    description: "Where the index lives; .lodestone in the folder by default",
  },
  rebuild: { type: "boolean", description: "Forget an index that was made with another encoder" },
  "keep-both": { type: "boolean", description: "Keep an index for each encoder" },
  grammar: {
    type: "string",
    valueHint: ".EXT=FILE",
    description: "Read files of that ending with a tree-sitter .wasm",
  },
  threads: { type: "string", valueHint: "N", description: "Threads of the full encoder's engine" },
} as const satisfies Record<string, ArgDef>;

/** Options of every command that prints hits. */
export const HIT_ARGS = {
  number: { type: "string", alias: "n", valueHint: "N", description: "How many to print", default: "10" },
  lang: { type: "string", valueHint: "LIST", description: "Only these languages: python,go" },
  path: { type: "string", valueHint: "GLOBS", description: "Only these paths, as in .gitignore: src/**,!**/*.test.ts" },
  type: { type: "string", valueHint: "LIST", description: "Only function, method, class, module, doc, config, text" },
  json: { type: "boolean", description: "Print a JSON array of {path, startLine, endLine, score, ...}, best first" },
} as const satisfies Record<string, ArgDef>;

type Given<T> = { readonly [K in keyof T]?: string | boolean | undefined };

/** The encoders that the options name: a static bag is the first tier, any other model the second. */
async function encodersOf(args: Given<typeof INDEX_ARGS>): Promise<Encoders> {
  const { isStaticFolder, shippedModels } = await import("../search/index.js");
  const model = textOf(args.model);
  const full = textOf(args.full);
  const first: Encoders =
    model === undefined ? shippedModels() : (await isStaticFolder(model)) ? { static: model } : { full: model };
  return full === undefined ? first : { ...first, full };
}

/** Opens the index that the options describe, up to date. */
export async function openFor(
  folder: string,
  args: Given<typeof INDEX_ARGS>,
  { signal, progress }: Context,
  refresh: OpenIndexOptions["refresh"] = "wait",
): Promise<SearchIndex> {
  const { openIndex } = await import("../search/index.js");
  const [indexFolder, threads, grammar] = [textOf(args.index), textOf(args.threads), textOf(args.grammar)];
  const onOtherModel = args.rebuild === true ? "rebuild" : args["keep-both"] === true ? "keep-both" : "refuse";
  return openIndex(folder, {
    encoder: await encodersOf(args),
    onOtherModel,
    refresh,
    signal,
    onProgress: progress,
    ...(indexFolder === undefined ? {} : { indexFolder }),
    ...(threads === undefined ? {} : { threads: wholeNumber(threads, "threads") }),
    ...(grammar === undefined ? {} : { grammars: grammarsOf(grammar) }),
  });
}

/** Runs the full tier to its end, where there is one. */
export async function refineAll(index: SearchIndex, signal: AbortSignal): Promise<void> {
  for await (const step of index.refine({ signal })) void step; // Progress is drawn by its events.
}

/** `.zig=zig.wasm,.nim=tree-sitter-nim/tree-sitter-nim.wasm` */
function grammarsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(",").map((part) => {
      const [extension, file] = [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)];
      if (/^\.[\w+-]+$/.test(extension) && file !== "") return [extension.toLowerCase(), file];
      throw new UserError("arguments.value", `--grammar: expected .EXT=FILE, got ${part}`, {
        fix: "Write it as --grammar .zig=tree-sitter-zig.wasm",
      });
    }),
  );
}

/** What the options of a search say. @throws UserError `arguments.value`, `search.kind` */
export async function searchOptions(args: Given<typeof HIT_ARGS>, context: Context): Promise<SearchOptions> {
  const { fileTypeNames, parseKind } = await import("../search/index.js");
  const list = (value: unknown): string[] | undefined =>
    textOf(value)
      ?.split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
  const [languages, paths, kinds] = [list(args.lang), list(args.path), list(args.type)];
  const unknown = languages?.find((language) => !fileTypeNames().includes(language));
  if (unknown !== undefined) {
    throw new UserError("arguments.value", `--lang: expected languages, got ${unknown}`, {
      fix: `Use some of ${fileTypeNames().join(", ")}`,
    });
  }
  return {
    limit: wholeNumber(textOf(args.number) ?? "10", "number"),
    signal: context.signal,
    ...(languages === undefined ? {} : { languages }),
    ...(paths === undefined ? {} : { paths }),
    ...(kinds === undefined ? {} : { kinds: kinds.map(parseKind) }),
    ...(args.json === true ? {} : { text: true }),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Prints an answer, as JSON or for people. */
export async function printAnswer(answer: Answer, folder: string, json: boolean, context: Context): Promise<void> {
  for (const note of answer.notes) context.say(note);
  if (json) return context.print(`${JSON.stringify(answer.hits)}\n`);
  const colour = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;
  for (const hit of answer.hits) await context.print(hitText(hit, folder, colour));
  const from = { full: "full encoder and words", static: "static encoder and words", lexical: "words alone" };
  context.say(`${answer.hits.length} hits by ${from[answer.tier]} in ${answer.milliseconds.toFixed(1)} ms`);
}

const SHOWN_LINES = 6;

function hitText(hit: Hit, folder: string, colour: boolean): string {
  const place = `${join(folder, hit.path)}:${hit.startLine}`;
  const title = [...hit.scope, hit.name].join(" › ");
  const head = colour ? `\u001b[1;36m${place}\u001b[0m` : place;
  const stale = hit.stale === true ? "  (the file has changed since it was indexed)" : "";
  const lines = (hit.text ?? "").split("\n");
  const shown = highlight(lines.slice(0, SHOWN_LINES).join("\n"), hit.language, colour).split("\n");
  const more = lines.length > SHOWN_LINES ? [`    … ${thousands(lines.length - SHOWN_LINES)} more lines`] : [];
  const width = String(hit.startLine + SHOWN_LINES).length;
  const body = shown.map((line, i) => `${String(hit.startLine + i).padStart(width + 2)}  ${line}`);
  return [
    `${head}  ${hit.kind} ${title}  ${hit.score.toFixed(2)}${stale}`,
    ...(hit.explanation === undefined ? [] : [explanationText(hit.explanation)]),
    ...(hit.text === undefined ? [] : [...body, ...more]),
    "",
    "",
  ].join("\n");
}

function explanationText({ semantic, lexical, features, cosines, bm25 }: NonNullable<Hit["explanation"]>): string {
  const signed = (value: number): string => `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(2)}`;
  const parts = Object.entries(features).map(([name, value]) => `${name} ${signed(value)}`);
  const raw = Object.entries(cosines).map(([tier, value]) => `${tier} cosine ${value.toFixed(3)}`);
  const sources = [...raw, `BM25 ${bm25.toFixed(2)}`].join(", ");
  return `    semantic ${signed(semantic)}, lexical ${signed(lexical)}, ${parts.join(", ")}  (${sources})`;
}

/** `FILE:LINE`. @throws UserError `arguments.value` */
export function placeOf(text: string): { path: string; line: number } {
  const match = /^(.+):(\d+)(?::\d+)?$/.exec(text);
  if (match !== null) return { path: match[1]!, line: Number(match[2]) };
  throw new UserError("arguments.value", `expected FILE:LINE, got ${text}`, { fix: "Write it as src/main.ts:42" });
}

/** A file's text, or standard input for `-`. @throws UserError `input.unreadable` */
export async function readCode(file: string, context: Context): Promise<string> {
  if (file === "-") return context.readInput();
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new UserError("input.unreadable", `${file}: expected a readable file`, {
      fix: "Check the path",
      cause: error,
    });
  });
}
