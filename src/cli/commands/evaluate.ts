import { wholeNumber } from "../_arguments.js";
import { MODEL_ARGS, openModel } from "../_model.js";
import { command } from "../command.js";
import { table } from "../terminal.js";
import type { SetReport } from "../../evaluate/index.js";

export const evaluate = command({
  name: "evaluate",
  description:
    "Scores an encoder on an evaluation set: a folder with queries.jsonl, corpus.jsonl and qrels.jsonl (retrieval), or " +
    "train.jsonl and test.jsonl (classification with a linear head on frozen vectors)",
  args: {
    ...MODEL_ARGS,
    data: { type: "string", valueHint: "DIR", description: "Folder of the set", required: true },
    baseline: { type: "boolean", description: "Score BM25 on the same set too, and both together (hybrid)" },
    "query-length": {
      type: "string",
      valueHint: "N",
      description: "Tokens read of a query; all the model takes if not given",
    },
    "document-length": { type: "string", valueHint: "N", description: "Tokens read of a document" },
    json: { type: "boolean", description: "Print one JSON object" },
  },
  examples: [
    { does: "A table", line: "lodestone evaluate --model quickstart/model --data sets/cosqa --baseline" },
    {
      does: "All figures, with the limits that are usual for this task",
      line: "lodestone evaluate --model quickstart/model --data sets/cosqa --query-length 128 --document-length 256 --json",
    },
  ],
  async run(args, { signal, progress, print }) {
    const lengths = {
      query: lengthOf("query-length", args["query-length"]),
      document: lengthOf("document-length", args["document-length"]),
    };
    const { evaluateSet, loadSet } = await import("../../evaluate/index.js");
    const set = await loadSet(args.data);
    const encoder = await openModel("evaluate", args);
    try {
      const { report } = await evaluateSet({
        set,
        embed: (texts, side) =>
          encoder.embed(texts, { ...lengths[side], total: texts.length, signal, onProgress: progress }),
        baseline: args.baseline === true,
        onProgress: progress,
        signal,
      });
      await print(args.json === true ? `${JSON.stringify(report)}\n` : `${reportTable(report)}\n`);
    } finally {
      await encoder.close();
    }
  },
});

function lengthOf(option: string, value: string | undefined): { maxLength?: number } {
  return value === undefined ? {} : { maxLength: wholeNumber(value, option, 2) };
}

function reportTable(report: SetReport): string {
  if (report.kind === "classification") {
    const heads = Object.fromEntries(Object.entries(report).filter(([, value]) => typeof value === "object"));
    const columns = [...new Set(Object.values(heads).flatMap((scores) => Object.keys(scores)))];
    const cells = (scores: Readonly<Record<string, number>>): string[] =>
      columns.map((column) => (scores[column] === undefined ? "" : String(scores[column])));
    return table([
      [report.set, ...columns],
      ...Object.entries(heads).map(([head, scores]) => [head, ...cells({ ...scores })]),
    ]);
  }
  const { bm25, hybrid } = report;
  const systems = { encoder: report, ...(bm25 && { bm25 }), ...(hybrid && { hybrid }) };
  const names = Object.keys(report.all);
  return table([
    [report.set, ...names],
    ...Object.entries(systems).map(([system, { all }]) => [system, ...Object.values(all).map(String)]),
  ]);
}
