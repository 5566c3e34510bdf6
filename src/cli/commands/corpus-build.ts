import { LANGUAGES, UserError } from "../../base/index.js";
import { buildCorpus, corpusSchema } from "../../corpus/index.js";
import { parseLanguage } from "../../languages/index.js";
import { command } from "../command.js";
import { merge, readConfig } from "../_config.js";
import { table, thousands } from "../terminal.js";

export const corpusBuild = command({
  name: "corpus build",
  description:
    "Reads folders of source code and writes a corpus: whole files for stage 1 and (summary, function) pairs for stage 2, " +
    "deduplicated and split, with a manifest written last. A complete corpus of the same inputs is left as it is",
  variadic: true,
  args: {
    folder: { type: "positional", description: "Folders of source code", required: false },
    out: { type: "string", valueHint: "DIR", description: "Folder to write the corpus to", required: true },
    languages: {
      type: "string",
      valueHint: "LIST",
      description: `Only these, with commas between: ${LANGUAGES.join(",")}`,
    },
    validation: { type: "string", valueHint: "SHARE", description: "Share of the files held out for validation" },
    test: { type: "string", valueHint: "SHARE", description: "Share of the files held out for testing" },
    config: { type: "string", valueHint: "FILE", description: "Corpus config as JSON; folders and options go over it" },
    overwrite: { type: "boolean", description: "Replace a corpus of other inputs or of another config" },
  },
  examples: [
    { does: "A corpus of two checkouts", line: "lodestone corpus build ~/src/flask ~/src/django --out corpus" },
    {
      does: "JavaScript and TypeScript only, a tenth held out",
      line: "lodestone corpus build src --out corpus --languages javascript,typescript --test 0.1",
    },
    { does: "All settings from a file", line: "lodestone corpus build --config corpus.json --out corpus" },
  ],
  async run(args, { signal, progress, say, print }) {
    if (args._.length === 0 && args.config === undefined) {
      throw new UserError("arguments.missing", "corpus build: expected a folder of source code, got none", {
        fix: "Name one or more, or give sources in the file behind --config",
      });
    }
    const split = { ...share("validation", args.validation), ...share("test", args.test) };
    const config = await readConfig(corpusSchema, args.config, (file) =>
      merge(file, {
        ...(args._.length === 0 ? {} : { sources: args._.map((path) => ({ path })) }),
        ...(args.languages === undefined ? {} : { languages: args.languages.split(",").map(parseLanguage) }),
        ...(Object.keys(split).length === 0 ? {} : { split }),
      }),
    );
    for await (const event of buildCorpus(config, args.out, { signal, overwrite: args.overwrite === true })) {
      if (event.kind === "progress") progress(event);
      else if (event.kind === "skipped") say(`passed over ${event.origin}/${event.path}: ${event.reason}`);
      else {
        const { manifest } = event;
        if (event.reused) say(`${args.out} holds this corpus already`);
        const rows = Object.entries(manifest.languages).map(([lang, { files, functions, withDocstring, pairs }]) => {
          return [lang, ...[files, functions, withDocstring, pairs].map(thousands)];
        });
        await print(`${table([["language", "files", "functions", "with docs", "pairs"], ...rows])}\n`);
      }
    }
  },
});

function share(name: "validation" | "test", value: string | undefined): { validation?: number; test?: number } {
  return value === undefined ? {} : { [name]: Number(value) }; // NaN and others are the schema's to refuse.
}
