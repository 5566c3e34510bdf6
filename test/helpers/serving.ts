import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { request, type IncomingHttpHeaders } from "node:http";
import { dirname, join } from "node:path";
import { sha256 } from "../../src/base/index.js";
import { saveEncoder } from "../../src/encoder/index.js";
import { startServe, type LogLine, type RunningServer, type ServeOptions } from "../../src/server/index.js";
import { trainTokenizer, type Tokenizer } from "../../src/tokenizer/index.js";
import { noisyWeights, tinyConfig } from "./encoders.js";
import { TEXTS } from "./texts.js";

/** Files of a small repository. */
export const REPOSITORY: Readonly<Record<string, string>> = {
  "src/math.js": "export function add(a, b) {\n  return a + b;\n}\n",
  "src/date.js":
    "/** Reads a calendar day. */\nexport function parseDate(text) {\n  const [y, m, d] = text.split('-');\n  return { y, m, d };\n}\n",
  "src/area.py": 'def area(r):\n    """The area of a disc."""\n    x = r * r\n    return 3 * x\n',
  "README.md": "# Tides\n\nHigh water at noon.\n",
};

/** Writes a small repository and returns its folder. */
export async function newRepository(temporary: string, name = "repo", files = REPOSITORY): Promise<string> {
  const folder = join(await mkdtemp(join(temporary, "served-")), name);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

let tokenizer: Tokenizer | undefined;

/** Writes a small model: one layer, or a bag; with lengths that it may be cut to. */
export async function newModel(temporary: string, kind: "full" | "static", matryoshka?: number[]): Promise<string> {
  tokenizer ??= await trainTokenizer(TEXTS, { vocabSize: 400 });
  const config =
    kind === "full"
      ? tinyConfig()
      : tinyConfig({ layers: 0, positions: false, heads: 1, maxLength: 128, pooling: "weighted" });
  const folder = join(await mkdtemp(join(temporary, "model-")), `small-${kind}`);
  await saveEncoder(folder, { config, weights: noisyWeights(config), tokenizer });
  if (matryoshka === undefined) return folder;
  const [path, sums] = [join(folder, "config.json"), join(folder, "checksums.json")];
  const json = JSON.parse(await readFile(path, "utf8")) as { lodestone: Record<string, unknown> };
  json.lodestone["matryoshka"] = matryoshka;
  const before = await readFile(path);
  await writeFile(path, JSON.stringify(json));
  const text = await readFile(sums, "utf8");
  await writeFile(sums, text.replace(sha256(before), sha256(await readFile(path))));
  return folder;
}

/** A server and what it logged. */
export interface Served extends RunningServer {
  readonly log: LogLine[];
}

/** Starts a server on a free port of this machine. */
export async function serveFor(options: Partial<ServeOptions>): Promise<Served> {
  const log: LogLine[] = [];
  const server = await startServe(
    { roots: [], encoder: {}, version: "1.2.3", log: (line) => log.push(line), ...options },
    { port: 0 },
  );
  return { ...server, log };
}

/** Waits until every repository is indexed. */
export async function untilReady(url: string): Promise<void> {
  for (;;) {
    const { repositories } = (await (await fetch(`${url}repositories`)).json()) as {
      repositories: { state: string }[];
    };
    if (repositories.every(({ state }) => state === "ready")) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** An answer to a request whose headers `fetch` would not send. */
export function rawRequest(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number | undefined; headers: IncomingHttpHeaders; text: string }> {
  return new Promise((resolve, reject) => {
    const { method = "GET", headers = {}, body } = options;
    const sent = request(url, { method, headers }, (response) => {
      let text = "";
      response.on("data", (piece: Buffer) => (text += piece.toString()));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Posts JSON. */
export async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, never> };
}
