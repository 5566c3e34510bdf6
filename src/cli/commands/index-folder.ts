import { INDEX_ARGS, openFor, refineAll } from "../_search.js";
import { command } from "../command.js";
import { thousands } from "../terminal.js";

export const indexFolder = command({
  name: "index",
  description: "Indexes a folder for search, or brings its index up to date",
  args: {
    folder: { type: "positional", description: "What to index", default: "." },
    deep: { type: "boolean", description: "Let the full encoder read everything, too" },
    json: { type: "boolean", description: "Print what was done as JSON" },
    ...INDEX_ARGS,
  },
  examples: [
    { does: "This folder", line: "lodestone index" },
    { does: "With both encoders", line: "lodestone index ~/src/app --model models/static --full models/full --deep" },
  ],
  async run(args, context) {
    const index = await openFor(args.folder, args, context);
    try {
      if (args.deep === true) await refineAll(index, context.signal);
      const status = await index.status();
      for (const note of status.notes) context.say(note);
      const update = index.lastUpdate!;
      if (args.json === true) {
        await context.print(`${JSON.stringify({ ...update, chunks: status.chunks, bytes: status.bytes ?? null })}\n`);
        return;
      }
      const passed = Object.entries(status.skipped).map(([reason, paths]) => `${thousands(paths.length)} ${reason}`);
      const lines = [
        `${thousands(status.chunks)} places in ${thousands(status.files)} files; ${thousands(update.changed)} files read anew, ${thousands(update.returned)} known from before, ${thousands(update.removed)} gone, in ${(update.milliseconds / 1000).toFixed(2)} s (parsing ${(update.times.parse / 1000).toFixed(2)} s${update.threads === 1 ? "" : `, summed over ${update.threads} threads`})`,
        ...(passed.length === 0 ? [] : [`passed over: ${passed.join(", ")} (lodestone status lists them)`]),
      ];
      await context.print(`${lines.join("\n")}\n`);
    } finally {
      await index.close();
    }
  },
});
