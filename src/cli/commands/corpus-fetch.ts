import { UserError } from "../../base/index.js";
import { fetchRecipe, readRecipe } from "../../corpus/index.js";
import { command } from "../command.js";
import { table, thousands } from "../terminal.js";

export const corpusFetch = command({
  name: "corpus fetch",
  description:
    "Downloads the packages and repositories that a recipe names, through your own npm, apt-get and git, into a cache " +
    "that corpus build reads. What is there stays; versions and checksums are recorded in lock.json",
  args: {
    recipe: { type: "positional", description: "Recipe, a JSON file", required: true },
    cache: { type: "string", valueHint: "DIR", description: "Folder to download to", required: true },
    mirrors: {
      type: "string",
      valueHint: "DIR",
      description: "Folder of bare git repositories, for owner/name entries",
    },
    jobs: { type: "string", valueHint: "N", description: "Downloads at the same time", default: "4" },
  },
  examples: [
    {
      does: "The project's own corpus",
      line: "lodestone corpus fetch recipes/nine-languages.json --cache ~/.cache/lodestone/corpus --mirrors ~/mirrors",
    },
  ],
  async run(args, { signal, progress, say, print }) {
    const jobs = Number(args.jobs);
    if (!Number.isInteger(jobs) || jobs < 1 || jobs > 16) {
      throw new UserError("arguments.invalid", `--jobs: expected a whole number from 1 to 16, got ${args.jobs}`, {
        fix: "Leave it out for 4",
      });
    }
    const recipe = await readRecipe(args.recipe);
    for await (const event of fetchRecipe(recipe, { cache: args.cache, mirrors: args.mirrors, jobs, signal })) {
      if (event.kind === "progress") progress(event);
      else if (event.kind === "note") say(`${event.origin}: ${event.note}`);
      else if (event.kind === "failed") say(`could not be had: ${event.origin}: ${event.why}`);
      else {
        const { summary } = event;
        const { entries, downloaded, present, failed, bytes, requiredFailed } = summary;
        const rows = Object.entries({ entries, downloaded, present, failed, bytes }).map(([name, n]) => [
          name,
          thousands(n),
        ]);
        await print(`${table([["sources", ""], ...rows])}\n`);
        if (requiredFailed > 0) {
          throw new UserError(
            "corpus.required",
            `${args.recipe}: expected all required sources, but ${requiredFailed} could not be had`,
            {
              fix: "See the lines above; run again to go on from here",
            },
          );
        }
      }
    }
  },
});
