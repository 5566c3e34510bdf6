import { join } from "node:path";
import { UserError } from "../../base/index.js";
import { INDEX_ARGS, openFor } from "../_search.js";
import { command } from "../command.js";
import type { CloneGroup } from "../../search/index.js";

export const duplicates = command({
  name: "duplicates",
  description: "Finds copies: functions and classes that say the same, also in another language",
  args: {
    folder: { type: "positional", description: "Where to look", default: "." },
    threshold: { type: "string", valueHint: "X", description: "Share of common words, 0 to 1", default: "0.8" },
    across: { type: "boolean", description: "Only copies between languages" },
    json: { type: "boolean", description: "Print a JSON array of groups, largest first" },
    ...INDEX_ARGS,
  },
  examples: [{ does: "Copies in this folder", line: "lodestone duplicates" }],
  async run(args, context) {
    const threshold = Number(args.threshold);
    if (!(threshold > 0 && threshold <= 1)) {
      throw new UserError(
        "arguments.value",
        `--threshold: expected a number above 0, at most 1, got ${args.threshold}`,
        {
          fix: "Write it as --threshold 0.8",
        },
      );
    }
    const index = await openFor(args.folder, args, context);
    try {
      const groups: CloneGroup[] = [];
      const options = { threshold, signal: context.signal, onProgress: context.progress };
      for await (const group of index.duplicates({ ...options, acrossLanguages: args.across === true })) {
        groups.push(group);
      }
      if (args.json === true) return await context.print(`${JSON.stringify(groups)}\n`);
      for (const { members, similarity, exact } of groups) {
        const places = members.map(({ path, startLine, name }) => `  ${join(args.folder, path)}:${startLine}  ${name}`);
        const how = exact ? "the same" : `${Math.round(100 * similarity)}% alike`;
        await context.print(`${members.length} places, ${how}\n${places.join("\n")}\n\n`);
      }
      context.say(`${groups.length} groups`);
    } finally {
      await index.close();
    }
  },
});
