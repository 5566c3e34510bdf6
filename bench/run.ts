/**
 * `npm run bench -- NAME [--json] [--quick] [--data DIR]`, `npm run bench -- setup`, `npm run bench -- list`.
 *
 * A bench is `bench/NAME.ts` exporting `bench`. `--json` writes `results/bench/NAME.json` and prints it; `--quick` only
 * shows that it works, and writes nothing. `--data` names a folder for benches that take files of the user's.
 */
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { messageOf, UserError, writeFileAtomic } from "../src/base/index.js";
import { runBench, type Bench, type BenchResult } from "./harness/index.js";
import { setupPeers } from "./peers.js";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const USAGE = "npm run bench -- NAME [--json] [--quick] [--data DIR] | setup | list";

function names(): string[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  return files.map((file) => file.slice(0, -3)).filter((name) => name !== "run" && name !== "peers");
}

async function load(name: string): Promise<Bench> {
  if (!/^[\w-]+$/.test(name) || !names().includes(name) || !existsSync(`${FOLDER}${name}.ts`)) {
    throw new UserError("bench.unknown", `bench: expected one of ${names().join(", ")}, got ${name}`, { fix: USAGE });
  }
  return ((await import(`./${name}.ts`)) as { bench: Bench }).bench;
}

function table({ values, ratios, settings, seconds }: BenchResult): string {
  const rows = Object.entries(values).map(([name, value]) => {
    const text =
      typeof value === "object" && value !== null && "median" in value
        ? `median ${value["median"]}  min ${value["min"]}  max ${value["max"]}`
        : JSON.stringify(value);
    return `  ${name.padEnd(32)} ${text}`;
  });
  const speeds = Object.entries(ratios).map(([peer, ratio]) => `  ${peer.padEnd(32)} ${ratio}`);
  return [
    "values",
    ...rows,
    "ratios (our speed / the peer's; above 1 is faster)",
    ...speeds,
    `settings ${JSON.stringify(settings)}`,
    `${seconds} s in all`,
  ].join("\n");
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        json: { type: "boolean", default: false },
        quick: { type: "boolean", default: false },
        data: { type: "string" },
      },
      allowPositionals: true,
    });
  } catch (error) {
    throw new UserError("bench.usage", `bench: ${messageOf(error).split(".")[0]}`, { fix: USAGE });
  }
}

async function main(): Promise<void> {
  const { values: flags, positionals } = readArguments();
  const [name, ...others] = positionals;
  const log = (line: string): void => console.error(line);
  if (name === undefined || others.length > 0)
    throw new UserError("bench.usage", `bench: expected one name`, { fix: USAGE });
  if (name === "setup") {
    console.log(await setupPeers(log));
  } else if (name === "list") {
    for (const each of names()) console.log(`${each.padEnd(16)} ${(await load(each)).about}`);
  } else {
    const result = await runBench(name, await load(name), { quick: flags.quick, data: flags.data, log });
    const text = `${JSON.stringify(result, undefined, 2)}\n`;
    if (flags.json && !flags.quick) {
      const path = fileURLToPath(new URL(`../results/bench/${name}.json`, import.meta.url));
      await writeFileAtomic(path, text);
      log(`wrote ${path}`);
    }
    console.log(flags.json ? text : table(result));
  }
}

try {
  await main();
  process.exit(0); // Native threads of an engine or a stuck peer must not keep the process up.
} catch (error) {
  console.error(error instanceof UserError ? error.toLine() : error);
  process.exit(error instanceof UserError ? 2 : 1);
}
