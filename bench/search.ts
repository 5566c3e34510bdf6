import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../src/base/index.js";
import { isStaticFolder, openIndex, shippedModels, type Encoders, type SearchIndex } from "../src/search/index.js";
import { defineBench, summarise, type BenchContext, type Json } from "./harness/index.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Packages of the development dependencies: in every checkout, of known versions. */
const PACKAGES = [
  "three/src",
  "ol",
  "mongodb/src",
  "@cesium/engine/Source",
  "google-closure-library/closure",
  "typescript-eslint",
  "eslint/lib",
  "zod/src",
  "tone/build/esm",
  "@lumino/widgets",
  "hono/dist",
  "vitest/dist",
];
const QUERIES = [
  "how are events dispatched to listeners",
  "parse a date from text",
  "read configuration from a file",
  "validate the arguments of a function",
  "compute the bounding box",
  "retry after a connection error",
  "convert colour spaces",
  "Vector3",
  "addEventListener",
  "parseOptions",
];

/**
 * `LODESTONE_BENCH_REPOSITORIES` (folders, separated by `:`) adds repositories of other languages;
 * `LODESTONE_BENCH_MODEL` names the static encoder's folder where none is shipped.
 */
export const bench = defineBench({
  about:
    "search: time to the first answer, indexing, re-opening, queries, memory and size; beside ripgrep and words alone",
  async run(context) {
    const encoder = await encoderOf();
    const temporary = await mkdtemp(join(tmpdir(), "lodestone-bench-search-"));
    try {
      const repositories = repositoriesOf(context.quick);
      const perRepository: Record<string, Json> = {};
      const ratios: Record<string, number> = {};
      for (const folder of repositories) {
        if (context.secondsLeft() < 60) break;
        context.log(`search: ${folder}`);
        perRepository[nameOf(folder)] = await oneRepository(context, folder, temporary, encoder);
      }
      const sizes = await bySize(context, repositories, temporary, encoder);
      const rg = Object.values(perRepository).flatMap((one) => ratioOf(one as Record<string, Json>));
      if (rg.length > 0) ratios["ripgrep, one word (a query against a scan of the files)"] = summarise(rg).median;
      return {
        values: { repositories: perRepository, sizes },
        ratios,
        settings: { queries: QUERIES, static: encoder.static === undefined ? "none" : "one static encoder" },
        versions: { ripgrep: ripgrepVersion() ?? "not installed" },
      };
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  },
});

async function encoderOf(): Promise<Encoders> {
  const given = process.env["LODESTONE_BENCH_MODEL"];
  if (given === undefined) return shippedModels().static === undefined ? {} : { static: shippedModels().static! };
  if (await isStaticFolder(given)) return { static: given };
  throw new UserError("bench.model", `LODESTONE_BENCH_MODEL: expected the folder of a static encoder, got ${given}`);
}

function repositoriesOf(quick: boolean): string[] {
  const more = (process.env["LODESTONE_BENCH_REPOSITORIES"] ?? "").split(":").filter((one) => one !== "");
  const packages = PACKAGES.map((name) => join(ROOT, "node_modules", name)).filter((path) => existsSync(path));
  return [...more.map((path) => resolve(path)), ...packages].slice(0, quick ? 2 : undefined);
}

const nameOf = (folder: string): string =>
  folder
    .split(/node_modules\/|\//)
    .slice(-2)
    .join("/");

async function oneRepository(
  context: BenchContext,
  folder: string,
  temporary: string,
  encoder: Encoders,
): Promise<Record<string, Json>> {
  const runs = context.quick ? 1 : 3;
  const cold: number[] = [];
  const index: { total: number; parse: number; rest: number }[] = [];
  const reopen: number[] = [];
  let last: SearchIndex | undefined;
  for (let run = 0; run < runs; run++) {
    const indexFolder = join(temporary, `index-${run}`);
    await rm(indexFolder, { recursive: true, force: true });
    const start = performance.now();
    const opened = await openIndex(folder, { encoder, indexFolder });
    await opened.search(QUERIES[0]!);
    cold.push((performance.now() - start) / 1000);
    const { milliseconds, times } = opened.lastUpdate!;
    index.push({ total: milliseconds, parse: times.parse, rest: milliseconds - times.parse });
    await opened.close();
    const again = performance.now();
    last = await openIndex(folder, { encoder, indexFolder });
    reopen.push((performance.now() - again) / 1000);
    if (run < runs - 1) await last.close();
  }
  const held = last!;
  const status = await held.status();
  const hybrid = await queryTimes(held, {});
  const words = await queryTimes(held, { without: ["static", "full"] });
  await held.close();
  const scan = ripgrepSeconds(folder);
  return {
    files: status.files,
    chunks: status.chunks,
    "first-answer-seconds": summarise(cold).median,
    "index-seconds": summarise(index.map(({ total }) => total / 1000)).median,
    "parse-seconds": summarise(index.map(({ parse }) => parse / 1000)).median,
    "index-beside-parsing-seconds": summarise(index.map(({ rest }) => rest / 1000)).median,
    "reopen-seconds": summarise(reopen).median,
    "query-ms": hybrid,
    "query-words-alone-ms": words,
    "ripgrep-seconds": scan ?? null,
    "index-bytes": status.bytes ?? null,
    "process-memory-mib": Math.round(process.memoryUsage().rss / 2 ** 20),
  };
}

async function queryTimes(index: SearchIndex, options: object): Promise<{ p50: number; p95: number }> {
  for (const query of QUERIES) await index.search(query, options);
  const times: number[] = [];
  for (let round = 0; round < 30; round++) {
    for (const query of QUERIES) times.push((await index.search(`${query} ${round}`, options)).milliseconds);
  }
  times.sort((a, b) => a - b);
  return { p50: times[Math.floor(0.5 * times.length)]!, p95: times[Math.floor(0.95 * times.length)]! };
}

/** One index over copies of the repositories until it holds about 1k, 10k and 100k chunks. */
async function bySize(
  context: BenchContext,
  repositories: readonly string[],
  temporary: string,
  encoder: Encoders,
): Promise<Record<string, Json>> {
  const out: Record<string, Json> = {};
  for (const wanted of context.quick ? [1000] : [1000, 10_000, 100_000]) {
    if (context.secondsLeft() < 90) break;
    const root = join(temporary, `size-${wanted}`);
    mkdirSync(root);
    let files = 0;
    let bytes = 0;
    // Some 600 bytes of source make a chunk.
    for (let copy = 0; bytes < 600 * wanted && copy < 400; copy++) {
      const from = repositories[copy % repositories.length]!;
      cpSync(from, join(root, `copy${copy}`), {
        recursive: true,
        filter: (path) => {
          if (path.slice(from.length).includes("/node_modules/")) return false;
          const info = statSync(path);
          if (info.isDirectory()) return true;
          if (!/\.(?:js|ts|mjs|py|java|go|rb|php|cs|c|h|cpp|rs)$/.test(path) || info.size > 200_000) return false;
          if (bytes >= 600 * wanted) return false;
          bytes += info.size;
          files += 1;
          return true;
        },
      });
    }
    context.log(`search: ${files} files for ${wanted} chunks`);
    const index = await openIndex(root, { encoder });
    const { milliseconds, times } = index.lastUpdate!;
    const status = await index.status();
    const query = await queryTimes(index, {});
    await index.close();
    const again = performance.now();
    const reopened = await openIndex(root, { encoder });
    const reopen = (performance.now() - again) / 1000;
    await reopened.close();
    out[String(wanted)] = {
      chunks: status.chunks,
      "index-seconds": milliseconds / 1000,
      "parse-seconds": times.parse / 1000,
      "reopen-seconds": reopen,
      "query-ms": query,
      "index-bytes": status.bytes ?? null,
    };
    await rm(root, { recursive: true, force: true });
  }
  return out;
}

function ripgrepVersion(): string | undefined {
  const { status, stdout } = spawnSync("rg", ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.split("\n", 1)[0]! : undefined;
}

/** Seconds of `rg -i WORD` over the files, the process's start included, as an agent would run it. */
function ripgrepSeconds(folder: string): number | undefined {
  if (ripgrepVersion() === undefined) return undefined;
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    spawnSync("rg", ["-i", "--no-ignore", "listener", folder], { stdio: "ignore" });
    return (performance.now() - start) / 1000;
  });
  return summarise(times).median;
}

function ratioOf(one: Record<string, Json>): number[] {
  const scan = one["ripgrep-seconds"];
  const query = one["query-ms"] as { p50: number } | undefined;
  return typeof scan === "number" && query !== undefined ? [(1000 * scan) / query.p50] : [];
}
