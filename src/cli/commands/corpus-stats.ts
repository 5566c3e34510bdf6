import { readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { messageOf, UserError, writeFileAtomic } from "../../base/index.js";
import { corpusStats, precisionByLanguage, readMarks, type AuditMark } from "../../corpus/index.js";
import { command } from "../command.js";
import { renderStats } from "../corpus-report/stats-page.js";
import { table, thousands } from "../terminal.js";
import { wholeNumber } from "../_arguments.js";

export const corpusStatsCommand = command({
  name: "corpus stats",
  description:
    "Measures a corpus: counts by language, what tokens are, overlap of documentation and code, lengths, origins, " +
    "licences, and what each rule dropped with samples; as a page and as JSON",
  args: {
    folder: { type: "positional", description: "Folder of a corpus", required: true },
    out: { type: "string", valueHint: "FILE.html", description: "Write a page" },
    json: { type: "string", valueHint: "FILE", description: "Write the measures as JSON" },
    audit: {
      type: "string",
      valueHint: "PATH",
      description: "Marks of an audit, a JSONL file or a folder of them: adds precision by language",
    },
    documents: {
      type: "string",
      valueHint: "N",
      description: "Documents per language that are parsed to tell what tokens are",
      default: "2000",
    },
  },
  examples: [
    { does: "A page and its numbers", line: "lodestone corpus stats corpus --out stats.html --json stats.json" },
    {
      does: "With the precision that an audit found",
      line: "lodestone corpus stats corpus --audit results/corpus/audit --json stats.json",
    },
  ],
  async run(args, { signal, progress, say, print }) {
    const audit = args.audit === undefined ? undefined : await precisionByLanguage(allMarks(args.audit));
    const documents = wholeNumber(args.documents, "documents");
    const run = corpusStats(args.folder, { signal, documents, ...(audit === undefined ? {} : { audit }) });
    let next = await run.next();
    for (; next.done !== true; next = await run.next()) progress(next.value);
    const stats = next.value;
    if (args.out !== undefined) {
      await writeFileAtomic(args.out, renderStats(stats, basename(resolve(args.folder))));
      say(`wrote ${args.out}`);
    }
    if (args.json !== undefined) {
      await writeFileAtomic(args.json, `${JSON.stringify(stats, undefined, 2)}\n`);
      say(`wrote ${args.json}`);
    }
    const rows = Object.entries(stats.languages).map(([lang, one]) => [
      lang,
      ...[one.files, one.functions, one.withDocstring, one.withSummary, one.pairs].map(thousands),
      one.precision === null ? "" : `${(100 * one.precision).toFixed(1)}%`,
      `${(100 * one.origins.largestShare).toFixed(1)}%`,
    ]);
    const heads = ["language", "files", "functions", "with docs", "summaries", "pairs", "precision", "largest origin"];
    await print(`${table([heads, ...rows])}\n`);
  },
});

/** The marks of a file, or of every `.jsonl` file of a folder. @throws UserError `input.unreadable`, `audit.invalid` */
export async function* allMarks(path: string): AsyncGenerator<AuditMark> {
  for (const file of await markFiles(path)) yield* readMarks(file);
}

async function markFiles(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => name.endsWith(".jsonl")).sort();
    return names.map((name) => join(path, name));
  } catch (cause) {
    throw new UserError("input.unreadable", `${path}: expected marks of an audit, got ${messageOf(cause)}`, {
      fix: "Name a JSONL file that lodestone corpus audit wrote, or a folder of them",
      cause,
    });
  }
}
