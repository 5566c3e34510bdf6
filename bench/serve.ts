import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Rng, UserError } from "../src/base/index.js";
import { saveEncoder } from "../src/encoder/index.js";
import { initialise, parseModelConfig, SIZES } from "../src/model/index.js";
import { trainTokenizer } from "../src/tokenizer/index.js";
import { defineBench, type BenchContext } from "./harness/index.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PACKAGES = ["hono/dist", "zod/src", "eslint/lib"];
const CLIENTS = 64;
const QUERIES = ["parse a date from text", "how are retries configured", "addEventListener", "validate the arguments"];
const TEXTS = [
  "function add(a, b) {\n  return a + b;\n}",
  "read a file line by line",
  "class Queue {\n  push(item) {\n    this.items.push(item);\n  }\n}",
  "export const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));",
];

/**
 * `lodestone serve` in a process of its own, over a few packages, and 64 clients that each ask one thing behind the other
 * on loopback: embeddings of one to four texts and searches in turns. The clients share the machine with the server.
 * `LODESTONE_BENCH_MODEL` names the model's folder; without it an untrained bag of token vectors is made, whose speed is
 * that of a trained one.
 */
export const bench = defineBench({
  about: "serve: 64 clients on loopback, embeddings and search mixed: throughput, p50, p99, errors, memory",
  async run(context) {
    const built = spawnSync(process.execPath, ["scripts/build.mjs", "--if-stale"], { cwd: ROOT, encoding: "utf8" });
    if (built.status !== 0) throw new UserError("bench.build", `build: expected it to succeed, got ${built.stdout}`);
    const folder = await mkdtemp(join(tmpdir(), "lodestone-bench-serve-"));
    let server: ChildProcess | undefined;
    try {
      const given = process.env["LODESTONE_BENCH_MODEL"];
      const model = given ?? (await untrainedBag(join(folder, "untrained-bag")));
      const roots = PACKAGES.map((name) => {
        const copy = join(folder, name.split("/")[0]!); // The index lives beside the code, which stays as it is.
        cpSync(join(ROOT, "node_modules", name), copy, { recursive: true });
        return copy;
      });
      const args = [join(ROOT, "dist/cli/main.js"), "serve", ...roots, "--model", model, "--port", "0"];
      server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
      const url = await firstLine(server);
      await untilReady(url, context);
      const seconds = context.quick ? 3 : 60;
      await load(url, context.quick ? 1 : 10); // Warm, so that memory has grown to its size.
      const found = await load(url, seconds);
      return {
        values: found,
        ratios: {},
        settings: {
          clients: CLIENTS,
          seconds,
          model: given === undefined ? "untrained bag" : basename(model),
          repositories: PACKAGES,
        },
        versions: { node: process.version },
      };
    } finally {
      if (server !== undefined) {
        const ended = new Promise((resolve) => server!.once("close", resolve));
        server.kill("SIGTERM");
        await ended;
      }
      await rm(folder, { recursive: true, force: true });
    }
  },
});

async function untrainedBag(folder: string): Promise<string> {
  const config = parseModelConfig({ ...SIZES.tiny, layers: 0, positions: false, pooling: "weighted" }, "bench");
  const tokenizer = await trainTokenizer(ownSources(), { vocabSize: 4096 });
  await saveEncoder(folder, { config, weights: initialise(config, Rng.fromSeed(1)), tokenizer });
  return folder;
}

/** Text for a tokenizer: our own sources. */
function ownSources(): string[] {
  const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(".ts")).map((file) => readFileSync(join(ROOT, "src", file), "utf8"));
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout!.once("data", (piece: Buffer) => resolve(piece.toString().trim()));
    child.once("close", (code) =>
      reject(new UserError("bench.serve", `serve: expected it to listen, it ended: ${code}`)),
    );
  });
}

const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });

function ask(url: string, body?: unknown): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const sent = request(url, { agent, method: body === undefined ? "GET" : "POST", headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString() }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function untilReady(url: string, context: BenchContext): Promise<void> {
  for (;;) {
    const { repositories } = JSON.parse((await ask(`${url}repositories`)).text) as {
      repositories: { state: string }[];
    };
    if (repositories.every(({ state }) => state === "ready")) return;
    if (context.secondsLeft() < 120) throw new UserError("bench.serve", "serve: expected the index to be ready by now");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function residentBytes(url: string): Promise<number> {
  return Number(/^process_resident_memory_bytes (\d+)$/m.exec((await ask(`${url}metrics`)).text)![1]);
}

/** All clients for some seconds. */
async function load(url: string, seconds: number): Promise<Record<string, number | null>> {
  const times = { embeddings: [] as number[], search: [] as number[] };
  const counts = { refused: 0, errors: 0 };
  const began = performance.now();
  const end = began + 1000 * seconds;
  const client = async (number: number): Promise<void> => {
    for (let turn = number; performance.now() < end; turn++) {
      const kind = turn % 2 === 0 ? "embeddings" : "search";
      const start = performance.now();
      const texts = Array.from({ length: 1 + (turn % 4) }, (_, i) => TEXTS[(turn + i) % TEXTS.length]!);
      const answer = await (
        kind === "embeddings"
          ? ask(`${url}v1/embeddings`, { input: texts, encoding_format: "base64" })
          : ask(`${url}search`, { query: QUERIES[(turn >> 1) % QUERIES.length] })
      ).catch(() => ({ status: 0 }));
      if (answer.status === 200) times[kind].push(performance.now() - start);
      else counts[answer.status === 429 ? "refused" : "errors"] += 1;
    }
  };
  const memory: number[] = [];
  const sampling = setInterval(() => void residentBytes(url).then((bytes) => memory.push(bytes)), 500);
  await Promise.all(Array.from({ length: CLIENTS }, (_, i) => client(i)));
  clearInterval(sampling);
  const took = (performance.now() - began) / 1000;
  const part = (from: number, to: number): number => {
    const some = memory.slice(Math.floor(from * memory.length), Math.ceil(to * memory.length));
    return some.reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, some.length);
  };
  return {
    "requests-per-second": Math.round((times.embeddings.length + times.search.length) / took),
    "embeddings-p50-ms": quantile(times.embeddings, 0.5),
    "embeddings-p99-ms": quantile(times.embeddings, 0.99),
    "search-p50-ms": quantile(times.search, 0.5),
    "search-p99-ms": quantile(times.search, 0.99),
    "refused-429": counts.refused,
    errors: counts.errors,
    "memory-mib": Math.round(part(0.75, 1) / 2 ** 20),
    // Of the last quarter to that of the second.
    "memory-growth": memory.length < 8 ? null : Math.round((1000 * part(0.75, 1)) / part(0.25, 0.5)) / 1000,
  };
}

function quantile(values: number[], share: number): number | null {
  if (values.length === 0) return null;
  values.sort((a, b) => a - b);
  return Math.round(10 * values[Math.min(values.length - 1, Math.floor(share * values.length))]!) / 10;
}
