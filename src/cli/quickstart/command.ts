import { availableParallelism } from "node:os";
import { join } from "node:path";
import { wholeNumber } from "../_arguments.js";
import { command } from "../command.js";
import { table, thousands } from "../terminal.js";
import { formatDuration, type QuickstartReport } from "./report.js";
import { finishedReport, runQuickstart } from "./run.js";
import { searchText } from "./searches.js";

export const quickstart = command({
  name: "quickstart",
  description:
    "The main job on real input, in a clone after npm ci: collects documented functions from installed packages, trains a " +
    "tokenizer, pretrains a small encoder in two stages, and evaluates it on packages it has never seen. Stopped and " +
    "started again it goes on",
  args: {
    out: { type: "string", valueHint: "DIR", description: "Folder of the results", default: "quickstart" },
    threads: {
      type: "string",
      valueHint: "N",
      description: "Threads of the engine (all cores, at most 8, if not given)",
    },
    fresh: { type: "boolean", description: "Begin again from nothing" },
  },
  examples: [
    { does: "Everything, into ./quickstart", line: "lodestone quickstart" },
    { does: "Again from nothing, elsewhere", line: "lodestone quickstart --fresh --out /tmp/quickstart" },
  ],
  async run(args, context) {
    const threads =
      args.threads === undefined ? Math.min(8, availableParallelism()) : wholeNumber(args.threads, "threads");
    const fresh = args.fresh === true;
    const finished = fresh ? undefined : await finishedReport(args.out);
    if (finished !== undefined) context.say(`${args.out} is complete already; --fresh begins again`);
    const report = finished ?? (await runQuickstart({ out: args.out, threads, fresh }, context));
    if (report === undefined) context.say("stopped; the same command goes on from here");
    else await context.print(summary(report, args.out));
  },
});

function summary(report: QuickstartReport, out: string): string {
  const { mrr } = report;
  const rows = [
    ["encoder", "MRR"],
    ["untrained", mrr.untrained.toFixed(3)],
    ["after stage 1", mrr.stage1.toFixed(3)],
    ["after stage 2", mrr.stage2.toFixed(3)],
    ["BM25 (no encoder)", mrr.bm25.toFixed(3)],
  ];
  return [
    "",
    ...report.examples.map(searchText),
    "",
    `Summary to function among ${thousands(report.pairs)} held-out functions of ${report.corpus.heldOutPackages.join(" and ")}:`,
    table(rows),
    "",
    `${formatDuration(report.seconds)}. See ${join(out, "report.html")}; the encoder is in ${join(out, "model")}:`,
    `  echo "parse a date" | npx lodestone embed --model ${join(out, "model")}`,
    `  npx lodestone search "parse a date" src --model ${join(out, "model")}`,
    "",
  ].join("\n");
}
