import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, lstatSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import MiniSearch from "minisearch";
import { UserError } from "../src/base/index.js";
import { openEncoder } from "../src/encoder/index.js";
import {
  chunkFile,
  isStaticFolder,
  openIndex,
  shippedModels,
  type Encoders,
  type SearchIndex,
} from "../src/search/index.js";
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
/** Repositories of other languages, taken from a folder of bare ones (`LODESTONE_BENCH_MIRRORS`) at what they hold newest. */
const MIRRORED = [
  "hapijs/hapi",
  "networkx/networkx",
  "golang/net",
  "apache/commons-lang",
  "composer/composer",
  "prawnpdf/prawn",
  "facebook/zstd",
  "jstedfast/MailKit",
  "apollographql/apollo-client",
  "raysan5/raylib",
];
const CODE = /\.(?:js|ts|tsx|mjs|py|java|go|rb|php|cs|c|h|cpp|rs)$/;
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
 * `LODESTONE_BENCH_MIRRORS` (a folder of bare repositories, `owner+name` or `owner/name`) and `LODESTONE_BENCH_REPOSITORIES`
 * (folders, separated by `:`) add repositories of other languages;
 * `LODESTONE_BENCH_MODEL` names the static encoder's folder where none is shipped, `LODESTONE_BENCH_FULL` that of a full one,
 * which is then measured on some 200 files.
 */
export const bench = defineBench({
  about:
    "search: time to the first answer, indexing, re-opening, queries, memory and size; beside ripgrep and words alone",
  async run(context) {
    const encoder = await encoderOf();
    const temporary = await mkdtemp(join(tmpdir(), "lodestone-bench-search-"));
    try {
      const repositories = repositoriesOf(context.quick, temporary);
      const perRepository: Record<string, Json> = {};
      const ratios: Record<string, number> = {};
      for (const folder of repositories) {
        if (context.secondsLeft() < 60) break;
        context.log(`search: ${folder}`);
        perRepository[nameOf(folder)] = await oneRepository(context, folder, temporary, encoder);
      }
      const sizes = await bySize(context, repositories, temporary, encoder);
      const full = await fullTier(context, repositories, temporary, encoder);
      const rg = Object.values(perRepository).flatMap((one) => ratioOf(one as Record<string, Json>));
      const others = Object.values(perRepository).flatMap((one) => miniSearchRatio(one as Record<string, Json>));
      if (others.length > 0) ratios["minisearch, p50 of a query"] = summarise(others).median;
      if (rg.length > 0) ratios["ripgrep, one word (a query against a scan of the files)"] = summarise(rg).median;
      return {
        values: { repositories: perRepository, sizes, ...(full === undefined ? {} : { full }) },
        ratios,
        settings: { queries: QUERIES, static: encoder.static === undefined ? "none" : "one static encoder" },
        versions: { ripgrep: ripgrepVersion() ?? "not installed", minisearch: installedVersion("minisearch") },
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

function repositoriesOf(quick: boolean, temporary: string): string[] {
  const mirrors = process.env["LODESTONE_BENCH_MIRRORS"];
  const checkedOut = (mirrors === undefined ? [] : MIRRORED.slice(0, quick ? 1 : undefined)).flatMap((name) =>
    checkOut(mirrors!, name, join(temporary, "repositories", name)),
  );
  const more = (process.env["LODESTONE_BENCH_REPOSITORIES"] ?? "").split(":").filter((one) => one !== "");
  const packages = PACKAGES.map((name) => join(ROOT, "node_modules", name)).filter((path) => existsSync(path));
  return [...more.map((path) => resolve(path)), ...checkedOut, ...packages].slice(0, quick ? 2 : undefined);
}

/** The files of a bare repository's newest commit; none where it is not there. */
function checkOut(mirrors: string, name: string, to: string): string[] {
  const folder = [`${name.replace("/", "+")}/repo`, name.replace("/", "+"), `${name}.git`, name]
    .map((one) => join(mirrors, one))
    .find((one) => existsSync(join(one, "HEAD")));
  if (folder === undefined) return [];
  mkdirSync(to, { recursive: true });
  const { status } = spawnSync("bash", [
    "-c",
    'set -o pipefail; git -C "$0" archive HEAD | tar -x -C "$1"',
    folder,
    to,
  ]);
  return status === 0 ? [to] : [];
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
  const index: { total: number; threads: number }[] = [];
  // With several threads their parsing overlaps with all else, so that what is beside it is measured with one.
  const alone: { total: number; parse: number; rest: number }[] = [];
  const reopen: number[] = [];
  let last: SearchIndex | undefined;
  for (let run = 0; run < runs; run++) {
    const indexFolder = join(temporary, `index-${run}`);
    await rm(indexFolder, { recursive: true, force: true });
    const start = performance.now();
    const opened = await openIndex(folder, { encoder, indexFolder });
    await opened.search(QUERIES[0]!);
    cold.push((performance.now() - start) / 1000);
    const { milliseconds, threads } = opened.lastUpdate!;
    index.push({ total: milliseconds, threads });
    await opened.close();
    const single = join(temporary, "index-alone");
    const one = await openIndex(folder, { encoder, indexFolder: single, indexThreads: 1 });
    const { milliseconds: total, times } = one.lastUpdate!;
    alone.push({ total, parse: times.parse, rest: total - times.parse });
    await one.close();
    await rm(single, { recursive: true, force: true });
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
  const peer = await miniSearch(folder);
  return {
    files: status.files,
    chunks: status.chunks,
    "first-answer-seconds": summarise(cold).median,
    "index-seconds": summarise(index.map(({ total }) => total / 1000)).median,
    "index-threads": index[0]!.threads,
    "index-one-thread-seconds": summarise(alone.map(({ total }) => total / 1000)).median,
    "parse-seconds": summarise(alone.map(({ parse }) => parse / 1000)).median,
    "index-beside-parsing-seconds": summarise(alone.map(({ rest }) => rest / 1000)).median,
    "reopen-seconds": summarise(reopen).median,
    "query-ms": hybrid,
    "query-words-alone-ms": words,
    "ripgrep-seconds": scan ?? null,
    minisearch: peer,
    "index-bytes": status.bytes ?? null,
    "process-memory-mib": Math.round(process.memoryUsage().rss / 2 ** 20),
  };
}

/**
 * MiniSearch, a BM25 index of plain JavaScript in memory, over the same pieces of the same files: its own tokens, prefixes and
 * fuzzy terms off, as its documentation has them by default. Cutting the files is not in its times.
 */
async function miniSearch(folder: string): Promise<Json> {
  const documents: { id: number; text: string }[] = [];
  for (const file of filesOf(folder, 2 ** 21)) {
    const path = relative(folder, file);
    const chunks = await chunkFile(path, readFileSync(file, "utf8"));
    for (const { name, text } of chunks) documents.push({ id: documents.length, text: `${path} ${name} ${text}` });
  }
  const start = performance.now();
  const index = new MiniSearch<{ id: number; text: string }>({ fields: ["text"] });
  index.addAll(documents);
  const seconds = (performance.now() - start) / 1000;
  const times: number[] = [];
  for (let round = 0; round < 10; round++) {
    for (const query of QUERIES) {
      const before = performance.now();
      index.search(`${query} ${round}`).slice(0, 10);
      times.push(performance.now() - before);
    }
  }
  return { chunks: documents.length, "index-seconds": seconds, "query-ms": quantiles(times) };
}

async function queryTimes(index: SearchIndex, options: object): Promise<{ p50: number; p95: number }> {
  for (const query of QUERIES) await index.search(query, options);
  const times: number[] = [];
  for (let round = 0; round < 30; round++) {
    for (const query of QUERIES) times.push((await index.search(`${query} ${round}`, options)).milliseconds);
  }
  return quantiles(times);
}

function quantiles(times: number[]): { p50: number; p95: number } {
  times.sort((a, b) => a - b);
  return { p50: times[Math.floor(0.5 * times.length)]!, p95: times[Math.floor(0.95 * times.length)]! };
}

/**
 * With a full encoder (`LODESTONE_BENCH_FULL`): reading everything, and answers that use it, each with a query's embedding.
 * Queries differ, so that none is answered from memory.
 */
async function fullTier(
  context: BenchContext,
  repositories: readonly string[],
  temporary: string,
  encoder: Encoders,
): Promise<Json | undefined> {
  const model = process.env["LODESTONE_BENCH_FULL"];
  if (model === undefined) return undefined;
  const opened = await openEncoder(model);
  const folder = join(temporary, "full");
  mkdirSync(folder);
  const files = filesOf(repositories.at(context.quick ? 0 : -1)!, 200_000).slice(0, context.quick ? 3 : 200);
  files.forEach((path, i) => cpSync(path, join(folder, `${i}-${basename(path)}`)));
  const index = await openIndex(folder, { encoder: { ...encoder, full: opened } });
  try {
    context.log(`search: the full tier over ${files.length} files`);
    const started = performance.now();
    for await (const { done, total } of index.refine()) {
      if (context.secondsLeft() < 60)
        throw new UserError("bench.time", `refine: ${done} of ${total} until time ran out`);
    }
    const seconds = (performance.now() - started) / 1000;
    const { chunks, answersFrom } = await index.status();
    if (answersFrom !== "full")
      throw new UserError("bench.full", `full tier: expected it to answer, got ${answersFrom}`);
    const times: number[] = [];
    for (let round = 0; round < 10; round++) {
      for (const query of QUERIES) {
        const before = performance.now();
        await opened.embedAll([`${query} ${round}`]);
        times.push(performance.now() - before);
      }
    }
    const config = { layers: opened.config.layers, width: opened.config.width };
    return {
      chunks,
      model: config,
      "refine-seconds": seconds,
      "query-ms": await queryTimes(index, {}),
      "of that the full encoder-ms": quantiles(times),
    };
  } finally {
    await index.close();
    await opened.close();
  }
}

/** Source files of a folder, by path, of at most so many bytes. */
function filesOf(folder: string, mostBytes: number): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => CODE.test(path) && !path.includes("node_modules/"))
    .map((path) => join(folder, path))
    .filter((path) => {
      const info = lstatSync(path);
      return info.isFile() && info.size <= mostBytes;
    })
    .sort();
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
          const info = lstatSync(path);
          if (info.isDirectory()) return true;
          if (!CODE.test(path) || info.size > 200_000) return false;
          if (bytes >= 600 * wanted) return false;
          bytes += info.size;
          files += 1;
          return true;
        },
      });
    }
    context.log(`search: ${files} files for ${wanted} chunks`);
    const index = await openIndex(root, { encoder });
    const { milliseconds, times, threads } = index.lastUpdate!;
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
      "index-threads": threads,
      "parse-seconds-of-all-threads": times.parse / 1000,
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

function miniSearchRatio(one: Record<string, Json>): number[] {
  const peer = one["minisearch"] as { "query-ms": { p50: number } };
  const own = one["query-words-alone-ms"] as { p50: number };
  return [peer["query-ms"].p50 / own.p50];
}

function installedVersion(name: string): string {
  const text = readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
