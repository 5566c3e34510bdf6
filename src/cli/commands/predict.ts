import { LANGUAGES, UserError } from "../../base/index.js";
import type { MaskFiller, NamedPlaceholder } from "../../pretrain/index.js";
import { wholeNumber } from "../_arguments.js";
import { languageOf, readSource } from "../_sources.js";
import { command, type Context } from "../command.js";
import { table } from "../terminal.js";

const MASK = "<mask>";

export const predict = command({
  name: "predict",
  description:
    `Fills masks with what the model learnt in stage 1: the likeliest tokens for every ${MASK} in a file, or names for its ` +
    "placeholders (c_0, f_0, v_0, ...). With --obfuscate the file's own names are hidden first and shown beside the guesses",
  args: {
    file: { type: "positional", description: "The source file, or - for standard input", required: true },
    model: { type: "string", valueHint: "DIR", description: "Folder of the encoder, best one from stage 1 (required)" },
    obfuscate: { type: "boolean", description: "Hide the names that the file defines, then guess them" },
    lang: {
      type: "enum",
      options: [...LANGUAGES],
      valueHint: "NAME",
      description: "The file's language for --obfuscate, where the ending does not tell",
    },
    top: { type: "string", valueHint: "N", description: "Guesses for each (default 5)" },
    json: { type: "boolean", description: "Print one JSON array instead" },
    threads: { type: "string", valueHint: "N", description: "Threads of the engine" },
  },
  examples: [
    {
      does: "One hole",
      line: `echo 'for (let i = 0; i < items.<mask>; i++) {' | lodestone predict - --model run/model`,
    },
    { does: "What would you call these?", line: "lodestone predict src/index.js --obfuscate --model run/model" },
  ],
  async run(args, context) {
    if (args.model === undefined) {
      throw new UserError("arguments.missing", "predict: expected an encoder, got none", {
        fix: "Give its folder with --model DIR; `lodestone pretrain stage1` writes one to its OUT/model",
      });
    }
    const top = args.top === undefined ? 5 : wholeNumber(args.top, "top");
    const source = args.file === "-" ? await context.readInput() : await readSource(args.file);
    const hidden = args.obfuscate === true ? await obfuscated(source, languageOf(args.file, args.lang)) : undefined;
    const text = hidden?.text ?? source;
    const [{ readEncoder }, { createEngine }, { openFiller }] = await Promise.all([
      import("../../encoder/index.js"),
      import("../../engine/index.js"),
      import("../../pretrain/index.js"),
    ]);
    const parts = await readEncoder(args.model);
    const settings = args.threads === undefined ? {} : { threads: wholeNumber(args.threads, "threads") };
    const filler = await openFiller(parts, createEngine("onnxruntime"), settings);
    try {
      if (hidden === undefined && text.includes(MASK))
        return await fillMasks(filler, text, top, args.json === true, context);
      await guessNames(filler, text, hidden?.map, top, args.json === true, context);
    } finally {
      await filler.close();
    }
  },
});

async function obfuscated(
  source: string,
  lang: (typeof LANGUAGES)[number],
): Promise<{ text: string; map: Record<string, string> }> {
  const { loadLanguage } = await import("../../languages/index.js");
  const { text, map } = (await loadLanguage(lang)).obfuscate(source);
  return { text, map: { ...map } };
}

async function fillMasks(
  filler: MaskFiller,
  text: string,
  top: number,
  json: boolean,
  { print }: Context,
): Promise<void> {
  const filled = (await filler.fill(text, { mask: MASK, top })).map(({ start, guesses }) => {
    const before = text.slice(0, start);
    return { line: before.split("\n").length, column: start - before.lastIndexOf("\n"), guesses };
  });
  if (json) return print(`${JSON.stringify(filled)}\n`);
  for (const { line, column, guesses } of filled) {
    const rows = guesses.map((guess) => [JSON.stringify(guess.text), percent(guess.probability)]);
    await print(`${line}:${column}\n${table([["token", "probability"], ...rows])}\n`);
  }
}

async function guessNames(
  filler: MaskFiller,
  text: string,
  truth: Readonly<Record<string, string>> | undefined,
  top: number,
  json: boolean,
  { signal, progress, print }: Context,
): Promise<void> {
  const { findPlaceholders } = await import("../../pretrain/index.js");
  const found = findPlaceholders(text).filter(({ name }) => truth === undefined || Object.hasOwn(truth, name));
  if (found.length === 0) {
    throw new UserError("predict.no-mask", `text: expected ${MASK} or placeholders such as f_0 somewhere, got none`, {
      fix: `Write ${MASK} where the model shall guess, or give --obfuscate`,
    });
  }
  const started = performance.now();
  const named = await filler.names(text, found, {
    top,
    signal,
    onName: (done, total) => {
      const elapsedSeconds = (performance.now() - started) / 1000;
      const etaSeconds = (elapsedSeconds / done) * (total - done);
      progress({ kind: "progress", stage: "predict", done, total, unit: "names", elapsedSeconds, etaSeconds });
    },
  });
  if (json) {
    const withTruth = named.map((one) => (truth === undefined ? one : { ...one, name: truth[one.placeholder] }));
    return print(`${JSON.stringify(withTruth)}\n`);
  }
  const heading = ["placeholder", ...(truth === undefined ? [] : ["name"]), "uses", "guesses"];
  await print(`${table([heading, ...named.map((one) => row(one, truth))])}\n`);
  if (truth === undefined) return;
  const right = named.filter(({ placeholder, guesses }) => guesses[0]?.text === truth[placeholder]).length;
  await print(`\n${right} of ${named.length} names guessed exactly\n`);
}

function row(
  { placeholder, occurrences, guesses }: NamedPlaceholder,
  truth: Readonly<Record<string, string>> | undefined,
): (string | number)[] {
  const list = guesses.map(({ text, probability }) => `${text} ${percent(probability)}`).join(", ");
  return [placeholder, ...(truth === undefined ? [] : [truth[placeholder] ?? ""]), occurrences, list];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
