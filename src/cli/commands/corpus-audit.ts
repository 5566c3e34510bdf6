import { basename, resolve } from "node:path";
import { UserError, writeFileAtomic } from "../../base/index.js";
import { auditLine, drawPairs, precisionByLanguage, readManifest } from "../../corpus/index.js";
import { parseLanguage } from "../../languages/index.js";
import { command } from "../command.js";
import { renderAudit } from "../corpus-report/audit-page.js";
import { table } from "../terminal.js";
import { wholeNumber } from "../_arguments.js";
import { allMarks } from "./corpus-stats.js";

export const corpusAudit = command({
  name: "corpus audit",
  description:
    "Draws random pairs of each language for reading: a page with keep and wrong marks, or a JSONL file to mark in an " +
    "editor. With --read, prints precision by language. The same corpus and seed give the same sample",
  args: {
    folder: { type: "positional", description: "Folder of a corpus", required: false },
    seed: { type: "string", valueHint: "S", description: "Seed of the sample", default: "1" },
    count: { type: "string", alias: "n", valueHint: "N", description: "Pairs per language", default: "200" },
    lang: { type: "string", valueHint: "LIST", description: "Only these languages, with commas between" },
    out: { type: "string", valueHint: "FILE.html", description: "Write a page to mark them on" },
    json: {
      type: "string",
      valueHint: "FILE",
      description: "Write JSON: unmarked lines, or with --read the precision",
    },
    read: { type: "string", valueHint: "PATH", description: "Read marks: a JSONL file or a folder of them" },
  },
  examples: [
    { does: "200 pairs per language on a page", line: "lodestone corpus audit corpus --seed 7 --out audit.html" },
    { does: "50 pairs of Go to mark in a file", line: "lodestone corpus audit corpus --lang go -n 50 --json go.jsonl" },
    { does: "What the marks say", line: "lodestone corpus audit --read results/corpus/audit" },
  ],
  async run(args, { signal, progress, say, print }) {
    if (args.read !== undefined) {
      const precision = await precisionByLanguage(allMarks(args.read));
      if (args.json !== undefined) {
        await writeFileAtomic(args.json, `${JSON.stringify(Object.fromEntries(precision), undefined, 2)}\n`);
        say(`wrote ${args.json}`);
      }
      const rows = [...precision].map(([lang, { marked, kept, precision: share, low, high }]) => {
        return [lang, marked, kept, ...[share, low, high].map((one) => `${(100 * one).toFixed(1)}%`)];
      });
      await print(`${table([["language", "read", "kept", "precision", "95% from", "to"], ...rows])}\n`);
      return;
    }
    if (args.folder === undefined || (args.out === undefined && args.json === undefined)) {
      throw new UserError(
        "arguments.missing",
        `corpus audit: expected ${args.folder === undefined ? "the folder of a corpus" : "a file to write"}, got none`,
        { fix: "lodestone corpus audit DIR --out audit.html, or --json FILE; --read MARKS for what was marked" },
      );
    }
    const seed = wholeNumber(args.seed, "seed", 0);
    const count = wholeNumber(args.count, "count");
    const languages = args.lang?.split(",").map(parseLanguage);
    const draw = drawPairs(args.folder, { count, seed, signal, ...(languages === undefined ? {} : { languages }) });
    let next = await draw.next();
    for (; next.done !== true; next = await draw.next()) progress(next.value);
    const lines = [...next.value.values()].flatMap((pairs) => pairs.map((pair) => auditLine(pair, seed)));
    if (lines.length === 0) {
      throw new UserError(
        "corpus.empty",
        `${args.folder}: expected pairs of ${args.lang ?? "any language"}, got none`,
        {
          fix: "Name a language of the corpus: lodestone corpus stats shows them",
        },
      );
    }
    if (args.out !== undefined) {
      const { inputs } = await readManifest(args.folder);
      const key = `${basename(resolve(args.folder))} ${inputs.slice(0, 8)}, seed ${seed}`;
      await writeFileAtomic(args.out, renderAudit(lines, key));
      say(`wrote ${args.out}: ${lines.length} pairs`);
    }
    if (args.json !== undefined) {
      await writeFileAtomic(args.json, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
      say(`wrote ${args.json}: ${lines.length} pairs`);
    }
  },
});
