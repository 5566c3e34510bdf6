import { availableParallelism } from "node:os";
import { LANGUAGES, UserError } from "../../base/index.js";
import { buildCorpus, corpusSchema, type CorpusConfig } from "../../corpus/index.js";
import { parseLanguage } from "../../languages/index.js";
import { command } from "../command.js";
import { merge, readConfig } from "../_config.js";
import { reportCorpus, requireWhole } from "../_corpus.js";
import { withPathsOf } from "../_corpus-config.js";
import { thousands } from "../terminal.js";

export const corpusBuild = command({
  name: "corpus build",
  description:
    "Reads source code and writes a corpus: whole files for stage 1 and (summary, function) pairs for stage 2, deduplicated " +
    "and split, as Parquet, with a manifest written last. A run that was stopped goes on from the parts that are whole; a " +
    "complete corpus of the same inputs is left as it is",
  variadic: true,
  args: {
    folder: { type: "positional", description: "Folders of source code", required: false },
    out: { type: "string", valueHint: "DIR", description: "Folder to write the corpus to", required: true },
    recipe: { type: "string", valueHint: "FILE", description: "Recipe of sources, fetched by corpus fetch" },
    cache: { type: "string", valueHint: "DIR", description: "Where corpus fetch put the sources" },
    mirrors: {
      type: "string",
      valueHint: "DIR",
      description: "Folder of bare git repositories, for owner/name entries",
    },
    languages: {
      type: "string",
      valueHint: "LIST",
      description: `Only these, with commas between: ${LANGUAGES.join(",")}`,
    },
    validation: { type: "string", valueHint: "SHARE", description: "Share of each language held out for validation" },
    test: { type: "string", valueHint: "SHARE", description: "Share of each language held out for testing" },
    exclude: {
      type: "string",
      valueHint: "DIRS",
      description: "Evaluation sets to keep out, with commas between",
    },
    config: { type: "string", valueHint: "FILE", description: "Corpus config as JSON; folders and options go over it" },
    workers: { type: "string", valueHint: "N", description: "Threads that parse; the processors if left out" },
    shard: { type: "string", valueHint: "I/N", description: "Do the I-th of N shares only; corpus merge joins them" },
    overwrite: { type: "boolean", description: "Replace a corpus of other inputs or of another config" },
    "keep-parts": { type: "boolean", description: "Keep the parts, to build again with other thresholds" },
  },
  examples: [
    { does: "A corpus of two checkouts", line: "lodestone corpus build ~/src/flask ~/src/django --out corpus" },
    {
      does: "JavaScript and TypeScript only, a tenth held out",
      line: "lodestone corpus build src --out corpus --languages javascript,typescript --test 0.1",
    },
    {
      does: "A fetched recipe, without what evaluation sets hold",
      line: "lodestone corpus build --recipe recipes/nine-languages.json --cache cache --exclude eval/cosqa --out corpus",
    },
    { does: "The second of four shares", line: "lodestone corpus build --config corpus.json --shard 2/4 --out part2" },
  ],
  async run(args, context) {
    const { signal, progress, say } = context;
    if (args._.length === 0 && args.config === undefined && args.recipe === undefined) {
      throw new UserError("arguments.missing", "corpus build: expected a folder of source code, got none", {
        fix: "Name one or more, or give sources in the file behind --config or --recipe",
      });
    }
    const sources = [
      ...(args.recipe === undefined ? [] : [{ kind: "recipe", path: args.recipe }]),
      ...args._.map((path) => ({ path })),
    ];
    const split = { ...share("validation", args.validation), ...share("test", args.test) };
    const config: CorpusConfig = await readConfig(corpusSchema, args.config, (file) =>
      merge(args.config === undefined ? file : withPathsOf(args.config, file), {
        ...(sources.length === 0 ? {} : { sources }),
        ...(args.languages === undefined ? {} : { languages: args.languages.split(",").map(parseLanguage) }),
        ...(args.exclude === undefined ? {} : { exclude: args.exclude.split(",") }),
        ...(Object.keys(split).length === 0 ? {} : { split }),
      }),
    );
    const options = {
      signal,
      overwrite: args.overwrite === true,
      workers: workersOf(args.workers),
      keepParts: args["keep-parts"] === true,
      ...(args.cache === undefined ? {} : { cache: args.cache }),
      ...(args.mirrors === undefined ? {} : { mirrors: args.mirrors }),
      ...(args.shard === undefined ? {} : { shard: parseShard(args.shard) }),
    };
    try {
      for await (const event of buildCorpus(config, args.out, options)) {
        if (event.kind === "progress") progress(event);
        else if (event.kind === "note") say(event.message);
        else if (event.kind === "skipped") {
          const detail = event.detail === undefined ? "" : ` (${event.detail})`;
          say(`passed over ${event.origin.replace(/^directory:/, "")}/${event.path}: ${event.reason}${detail}`);
        } else if (event.kind === "shard-done") {
          say(`shard ${event.shard} of ${event.of} is complete: ${thousands(event.parts)} parts in ${args.out}`);
          requireWhole(event.incomplete);
        } else await reportCorpus(event, args.out, context);
      }
    } catch (error) {
      if (signal.aborted) say(`stopped; what is whole is kept: run the same command again to go on`);
      throw error;
    }
  },
});

function workersOf(value: string | undefined): number {
  const workers = value === undefined ? availableParallelism() : Number(value);
  if (Number.isInteger(workers) && workers >= 0 && workers <= 256) return workers;
  throw new UserError("arguments.invalid", `--workers: expected a whole number from 0 to 256, got ${value}`, {
    fix: "Leave it out for one thread a processor",
  });
}

function parseShard(value: string): { shard: number; of: number } {
  const [shard, of] = value.split("/").map(Number);
  if (Number.isInteger(shard) && Number.isInteger(of) && shard! >= 1 && shard! <= of! && of! <= 10_000) {
    return { shard: shard!, of: of! };
  }
  throw new UserError("arguments.invalid", `--shard: expected I/N with I from 1 to N, got ${value}`, {
    fix: "For instance --shard 2/4",
  });
}

function share(name: "validation" | "test", value: string | undefined): { validation?: number; test?: number } {
  return value === undefined ? {} : { [name]: Number(value) }; // NaN and others are the schema's to refuse.
}
