import { wholeNumber } from "../_arguments.js";
import { MODEL_ARGS, openModel } from "../_model.js";
import { command, type Context } from "../command.js";
import { table } from "../terminal.js";
import { UserError } from "../../base/index.js";
import type { CorpusPair } from "../../corpus/index.js";
import type { PairsReport, SetReport, Side } from "../../evaluate/index.js";

export const evaluate = command({
  name: "evaluate",
  description:
    "Scores an encoder on an evaluation set: a folder with queries.jsonl, corpus.jsonl and qrels.jsonl (retrieval), or " +
    "train.jsonl and test.jsonl (classification with a linear head on frozen vectors); or on held-out pairs of a corpus",
  args: {
    ...MODEL_ARGS,
    data: { type: "string", valueHint: "DIR", description: "Folder of the set" },
    pairs: {
      type: "string",
      valueHint: "DIR",
      description:
        "Instead of a set: a corpus, whose summaries look for their functions; tells how the vectors lie, too",
    },
    split: {
      type: "enum",
      options: ["validation", "test"],
      valueHint: "NAME",
      description: "With --pairs: validation (default) or test",
    },
    count: { type: "string", valueHint: "N", description: "With --pairs: pairs of each language, 150 if not given" },
    seed: { type: "string", valueHint: "S", description: "With --pairs: seed of the draw, 0 if not given" },
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
    { does: "Held-out pairs of a corpus", line: "lodestone evaluate --model runs/two/model --pairs corpus" },
  ],
  async run(args, { signal, progress, print }) {
    const lengths = {
      query: lengthOf("query-length", args["query-length"]),
      document: lengthOf("document-length", args["document-length"]),
    };
    const { data, pairs } = args;
    if ((data === undefined) === (pairs === undefined)) {
      throw new UserError("arguments.value", `evaluate: expected --data or --pairs, got ${data ? "both" : "neither"}`, {
        fix: "--data names the folder of a set, --pairs that of a corpus",
      });
    }
    const extra = (["split", "count", "seed"] as const).find((name) => data !== undefined && args[name] !== undefined);
    if (extra !== undefined) {
      throw new UserError("arguments.value", `evaluate: expected --${extra} with --pairs only, got it with --data`, {
        fix: "Leave it out: a set is always scored whole",
      });
    }
    const { evaluatePairs, evaluateSet, loadSet } = await import("../../evaluate/index.js");
    const subject = data === undefined ? undefined : await loadSet(data);
    const held = pairs === undefined ? undefined : await heldPairs(pairs, args, { signal, progress });
    const encoder = await openModel("evaluate", args);
    const options = {
      embed: (texts: readonly string[], side: Side) =>
        encoder.embed(texts, { ...lengths[side], total: texts.length, signal, onProgress: progress }),
      baseline: args.baseline === true,
      onProgress: progress,
      signal,
    };
    try {
      const report =
        held === undefined
          ? (await evaluateSet({ set: subject!, ...options })).report
          : await evaluatePairs({ pairs: held, ...options });
      await print(args.json === true ? `${JSON.stringify(report)}\n` : `${reportTable(report)}\n`);
    } finally {
      await encoder.close();
    }
  },
});

function lengthOf(option: string, value: string | undefined): { maxLength?: number } {
  return value === undefined ? {} : { maxLength: wholeNumber(value, option, 2) };
}

/** The same number of pairs of every language, as far as it has them. */
async function heldPairs(
  folder: string,
  args: {
    readonly split?: string | undefined;
    readonly count?: string | undefined;
    readonly seed?: string | undefined;
  },
  { signal, progress }: Pick<Context, "signal" | "progress">,
): Promise<CorpusPair[]> {
  const { drawPairs } = await import("../../corpus/index.js");
  const count = args.count === undefined ? 150 : wholeNumber(args.count, "count");
  const seed = args.seed === undefined ? 0 : wholeNumber(args.seed, "seed", 0);
  const split = args.split === "test" ? "test" : "validation";
  const draw = drawPairs(folder, { count, seed, split, signal });
  let next = await draw.next();
  for (; next.done !== true; next = await draw.next()) progress(next.value);
  return [...next.value.values()].flat();
}

function pairsTable({ all, bm25, pairs, languages, geometry }: PairsReport): string {
  const names = Object.keys(all);
  const systems = { encoder: all, ...(bm25 === undefined ? {} : { bm25 }) };
  return [
    table([
      [`${pairs} pairs`, ...names],
      ...Object.entries(systems).map(([name, own]) => [name, ...Object.values(own).map(String)]),
    ]),
    table([
      ["language", "n", "MRR"],
      ...Object.entries(languages).map(([lang, { n, MRR }]) => [lang, String(n), String(MRR)]),
    ]),
    table([["vectors", ""], ...Object.entries(geometry).map(([name, value]) => [name, String(value)])]),
  ].join("\n");
}

function reportTable(report: SetReport | PairsReport): string {
  if (report.kind === "pairs") return pairsTable(report);
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
