import { INDEX_ARGS, openFor } from "../_search.js";
import { command } from "../command.js";
import { thousands } from "../terminal.js";
import type { IndexStatus } from "../../search/index.js";

export const status = command({
  name: "status",
  description: "Tells what the index of a folder holds, and whether it is up to date. Changes nothing",
  args: {
    folder: { type: "positional", description: "Whose index", default: "." },
    json: { type: "boolean", description: "Print it as JSON" },
    ...INDEX_ARGS,
  },
  examples: [{ does: "Of this folder", line: "lodestone status" }],
  async run(args, context) {
    const index = await openFor(args.folder, args, context, "none");
    try {
      const found = await index.status({ compare: true, signal: context.signal });
      await context.print(args.json === true ? `${JSON.stringify(found)}\n` : statusText(found));
    } finally {
      await index.close();
    }
  },
});

const LISTED = 20;

function statusText(status: IndexStatus): string {
  const { tiers, skipped, languages } = status;
  const tier = (name: "static" | "full"): string => {
    const { chunks, model } = tiers[name];
    return `${name}: ${model === undefined ? "no encoder" : `${thousands(chunks)} of ${thousands(status.chunks)} places (${model})`}`;
  };
  const outdated = status.outdated ?? 0;
  const by = { full: "the full encoder and words", static: "the static encoder and words", lexical: "words alone" };
  const lines = [
    `${status.root}`,
    status.generation === 0
      ? "not indexed yet: run lodestone index"
      : `${thousands(status.chunks)} places in ${thousands(status.files)} files; ${outdated === 0 ? "up to date" : `${thousands(outdated)} files differ: the next search takes them up`}`,
    `answers come from ${by[status.answersFrom]}`,
    tier("static"),
    tier("full"),
    `stored ${status.indexFolder === undefined ? "in memory" : `in ${status.indexFolder}`}${status.bytes === undefined ? "" : `, ${(status.bytes / 1e6).toFixed(1)} MB`}`,
    `languages: ${Object.entries(languages)
      .sort((a, b) => b[1] - a[1])
      .map(([name, count]) => `${name} ${thousands(count)}`)
      .join(", ")}`,
    ...Object.entries(skipped).flatMap(([reason, paths]) => [
      `passed over, ${reason}: ${thousands(paths.length)}`,
      ...paths.slice(0, LISTED).map((path) => `  ${JSON.stringify(path).slice(1, -1)}`),
      ...(paths.length > LISTED ? [`  … ${thousands(paths.length - LISTED)} more (--json lists all)`] : []),
    ]),
    ...status.notes,
  ];
  return `${lines.join("\n")}\n`;
}
