import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Rng, UserError } from "../src/base/index.js";
import { saveEncoder, shippedModel } from "../src/encoder/index.js";
import { initialise, parseModelConfig, SIZES, type ModelConfigInput } from "../src/model/index.js";
import { trainTokenizer } from "../src/tokenizer/index.js";
import { defineBench, type BenchContext, type Json } from "./harness/index.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PACKAGES = ["hono/dist", "zod/src", "eslint/lib"];
const CLIENTS = 64;
const QUERIES = ["parse a date from text", "how are retries configured", "addEventListener", "validate the arguments"];
/** What runs the model in the peer (`bench/peers/serve_embeddings.py`). */
const PEERS = ["sentence-transformers", "onnxruntime"] as const;
type Kind = "embeddings" | "search";
const TEXTS = [
  "function add(a, b) {\n  return a + b;\n}",
  "read a file line by line",
  "class Queue {\n  push(item) {\n    this.items.push(item);\n  }\n}",
  "export const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));",
];

/**
 * `lodestone serve` in a process of its own, over a few packages, and 64 clients that each ask one thing behind the other
 * on loopback: embeddings of one to four texts and searches in turns. The clients share the machine with the server.
 * `LODESTONE_BENCH_MODEL` names the model's folder; without it the shipped static encoder serves, or an untrained bag.
 *
 * Then embeddings alone, of a Transformer (`LODESTONE_BENCH_FULL`, or an untrained `tiny`, whose speed is that of a trained
 * one): ours beside a server in Python with the same folder, by sentence-transformers and by ONNX Runtime. Where the peers'
 * Python lacks FastAPI (`bench/peers/requirements-serve.txt`), that part is left out and the versions say so.
 */
export const bench = defineBench({
  about: "serve: 64 clients on loopback, embeddings and search mixed: throughput, p50, p99, errors, memory; peers",
  async run(context) {
    const built = spawnSync(process.execPath, ["scripts/build.mjs", "--if-stale"], { cwd: ROOT, encoding: "utf8" });
    if (built.status !== 0) throw new UserError("bench.build", `build: expected it to succeed, got ${built.stdout}`);
    const folder = await mkdtemp(join(tmpdir(), "lodestone-bench-serve-"));
    try {
      const given = process.env["LODESTONE_BENCH_MODEL"] ?? shippedModel("static");
      const bag = { layers: 0, positions: false, pooling: "weighted" } as const;
      const model = given ?? (await untrained(join(folder, "untrained-bag"), bag));
      const roots = PACKAGES.map((name) => {
        const copy = join(folder, name.split("/")[0]!); // The index lives beside the code, which stays as it is.
        cpSync(join(ROOT, "node_modules", name), copy, { recursive: true });
        return copy;
      });
      const seconds = context.quick ? 3 : 60;
      const mixed = await served([...roots, "--model", model], async (url) => {
        await untilReady(url, context);
        await load(url, context.quick ? 1 : 10); // Warm, so that memory has grown to its size.
        return load(url, seconds);
      });
      const givenFull = process.env["LODESTONE_BENCH_FULL"];
      const full = givenFull ?? (await untrained(join(folder, "untrained-tiny"), {}));
      const { values, ratios, versions } = await besidePeers(context, full, seconds);
      return {
        values: { ...mixed, ...values },
        ratios,
        settings: {
          clients: CLIENTS,
          seconds,
          model: given === undefined ? "untrained bag" : basename(given),
          "model of the comparison": givenFull === undefined ? "untrained tiny" : basename(givenFull),
          repositories: PACKAGES,
        },
        versions: { node: process.version, ...versions },
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
});

/** Starts `lodestone serve ARGS`, works with it, and ends it. */
async function served<T>(args: readonly string[], work: (url: string) => Promise<T>): Promise<T> {
  const server = spawn(process.execPath, [join(ROOT, "dist/cli/main.js"), "serve", ...args, "--port", "0"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    return await work(await firstLine(server));
  } finally {
    const ended = new Promise((resolve) => server.once("close", resolve));
    if (server.exitCode === null && server.signalCode === null) {
      server.kill("SIGTERM");
      await ended;
    }
  }
}

/** Embeddings alone: ours, then each peer, and ours again; the vectors of all must be the same. */
async function besidePeers(context: BenchContext, model: string, seconds: number) {
  const python = await context.python();
  const versions = peerVersions(python);
  if (versions === undefined) {
    return { values: {}, ratios: {}, versions: { peers: "none: FastAPI and uvicorn are not installed" } };
  }
  const run = async (url: string): Promise<{ found: Record<string, number | null>; vector: Float32Array }> => {
    const vector = await vectorOf(url);
    await load(url, context.quick ? 1 : 5, ["embeddings"]);
    return { found: await load(url, seconds / 2, ["embeddings"]), vector };
  };
  const ours = () => served(["--model", model], run);
  const first = await ours();
  const values: Record<string, Json> = {};
  const perSecond: Record<string, number> = {};
  for (const engine of PEERS) {
    context.log(`serve: ${engine} behind FastAPI`);
    const peer = await context.peer("serve_embeddings.py", { engine, model });
    const { port } = peer.ready as { port: number };
    const { found, vector } = await run(`http://127.0.0.1:${port}/`);
    await peer.close();
    const apart = Math.max(...vector.map((value, i) => Math.abs(value - first.vector[i]!)));
    if (!(apart < 1e-4)) throw new UserError("bench.serve", `${engine}: expected our vectors, got others by ${apart}`);
    values[`embeddings alone, ${engine} behind FastAPI`] = found;
    perSecond[engine] = found["requests-per-second"]!;
  }
  const second = await ours();
  values["embeddings alone"] = { first: first.found, last: second.found };
  const own = (first.found["requests-per-second"]! + second.found["requests-per-second"]!) / 2;
  const ratios = Object.fromEntries(PEERS.map((engine) => [`${engine} behind FastAPI`, own / perSecond[engine]!]));
  return { values, ratios, versions };
}

async function vectorOf(url: string): Promise<Float32Array> {
  const { text } = await ask(`${url}v1/embeddings`, { input: [TEXTS[2]], encoding_format: "base64" });
  const { data } = JSON.parse(text) as { data: [{ embedding: string }] };
  const bytes = Buffer.from(data[0].embedding, "base64");
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** Undefined where one of the packages is missing. */
function peerVersions(python: string): Record<string, string> | undefined {
  const names = [
    "fastapi",
    "uvicorn",
    "uvloop",
    "httptools",
    "orjson",
    "sentence-transformers",
    "torch",
    "onnxruntime",
  ];
  const script = `import json, importlib.metadata as m; print(json.dumps({n: m.version(n) for n in ${JSON.stringify(names)}}))`;
  const { status, stdout } = spawnSync(python, ["-c", script], { encoding: "utf8" });
  return status === 0 ? (JSON.parse(stdout) as Record<string, string>) : undefined;
}

async function untrained(folder: string, changes: Partial<ModelConfigInput>): Promise<string> {
  const tokenizer = await trainTokenizer(ownSources(), { vocabSize: 4096 });
  const config = parseModelConfig({ ...SIZES.tiny, vocabSize: tokenizer.vocabSize, ...changes }, "bench");
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

/** All clients for some seconds. Memory only where the server tells it. */
async function load(
  url: string,
  seconds: number,
  kinds: readonly Kind[] = ["embeddings", "search"],
): Promise<Record<string, number | null>> {
  const times = { embeddings: [] as number[], search: [] as number[] };
  const counts = { refused: 0, errors: 0 };
  const began = performance.now();
  const end = began + 1000 * seconds;
  const client = async (number: number): Promise<void> => {
    for (let turn = number; performance.now() < end; turn++) {
      const kind = kinds[turn % kinds.length]!;
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
  const sample = (): void => void residentBytes(url).then((bytes) => memory.push(bytes));
  const sampling = kinds.includes("search") ? setInterval(sample, 500) : undefined;
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
    "memory-mib": memory.length === 0 ? null : Math.round(part(0.75, 1) / 2 ** 20),
    // Of the last quarter to that of the second.
    "memory-growth": memory.length < 8 ? null : Math.round((1000 * part(0.75, 1)) / part(0.25, 0.5)) / 1000,
  };
}

function quantile(values: number[], share: number): number | null {
  if (values.length === 0) return null;
  values.sort((a, b) => a - b);
  return Math.round(10 * values[Math.min(values.length - 1, Math.floor(share * values.length))]!) / 10;
}
