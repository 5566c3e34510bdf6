import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Rng, UserError } from "../src/base/index.js";
import { saveEncoder } from "../src/encoder/index.js";
import { SIZES, initialise } from "../src/model/index.js";
import { trainTokenizer } from "../src/tokenizer/index.js";
import { defineBench, measureProcess } from "./harness/index.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TEXT = "read a file line by line";

/**
 * What a user waits for: `lodestone embed --model DIR` with one text on standard input, from the start of the process to
 * the line with the vector, and the most memory it held. The model is `tiny`, untrained (weights do not change the time),
 * made on the fly.
 */
export const bench = defineBench({
  about: "seconds from process start to the first embedding, and peak memory",
  async run(context) {
    const built = spawnSync(process.execPath, ["scripts/build.mjs", "--if-stale"], { cwd: ROOT, encoding: "utf8" });
    if (built.status !== 0) throw new UserError("bench.build", `build: expected it to succeed, got ${built.stdout}`);
    const folder = await mkdtemp(join(tmpdir(), "lodestone-start-"));
    try {
      const model = join(folder, "model");
      const tokenizer = await trainTokenizer(ownSources(), { vocabSize: 4096 });
      await saveEncoder(model, { config: SIZES.tiny, weights: initialise(SIZES.tiny, Rng.fromSeed(1)), tokenizer });
      const peaks: number[] = [];
      const isVector = (line: string): boolean => line.startsWith("[");
      const command = [join(ROOT, "dist/cli/main.js"), "embed", "--model", model];
      const start = async (args: readonly string[], input: string, until: (line: string) => boolean) => {
        const measured = await measureProcess(process.execPath, args, { input, until });
        if (input !== "" && measured.peakBytes !== undefined) peaks.push(measured.peakBytes);
        return measured.seconds;
      };
      const { summaries, repetitions } = await context.interleave(
        [
          { name: "first-embedding", measure: () => start(command, TEXT, isVector) },
          // What Node itself takes, for scale.
          { name: "node", measure: () => start(["-e", "console.log(1)"], "", () => true) },
        ],
        { repetitions: 9 },
      );
      const seconds = Object.fromEntries(
        Object.entries(summaries).map(([name, { median, min, max }]) => [name, { median, min, max }]),
      );
      const peak = Math.max(...peaks) / 2 ** 20;
      return {
        values: { ...seconds, "peak-memory-mib": peaks.length === 0 ? null : Math.round(peak) },
        ratios: {},
        settings: { command: "lodestone embed --model DIR", model: "tiny", text: TEXT, repetitions },
        versions: {},
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
});

/** Text for a tokenizer: our own sources. */
function ownSources(): string[] {
  const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(".ts")).map((file) => readFileSync(join(ROOT, "src", file), "utf8"));
}
