import { spawn } from "node:child_process";
import { connect } from "node:net";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { openEncoder } from "../src/encoder/index.js";
import type { LogLine, ServeOptions } from "../src/server/index.js";
import { cliPath, expectComplaint, lodestone, temporaryFolder } from "./helpers/cli.js";
import { largestDifference } from "./helpers/encoders.js";
import { newModel, newRepository, post, rawRequest, serveFor, untilReady, type Served } from "./helpers/serving.js";

const temporary = await temporaryFolder("serve");
let full: string;
let bag: string;
let served: Served | undefined;
beforeAll(async () => {
  full = await newModel(temporary, "full");
  bag = await newModel(temporary, "static", [8, 16]);
}, 60_000);
afterEach(async () => {
  await served?.close(1);
  served = undefined;
});

async function start(options: Partial<ServeOptions> = {}): Promise<string> {
  served = await serveFor(options);
  return served.url;
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

interface Embeddings {
  readonly data: readonly { readonly index: number; readonly embedding: readonly number[] }[];
  readonly usage: { readonly prompt_tokens: number };
}

describe("embeddings", () => {
  test("the encoder's own vectors, in order, with token counts; token arrays and base64 say the same", async () => {
    const url = await start({ model: full, modelName: "tiny" });
    const texts = ["get user name", "", "class RequestQueue {}"];
    const encoder = await openEncoder(full, {});
    const expected = await encoder.embedAll(texts);
    const ids = await encoder.tokenizer.encodeIds(texts);
    await encoder.close();
    const { body } = await post(`${url}v1/embeddings`, { model: "tiny", input: texts });
    const { data, usage } = body as unknown as Embeddings;
    expect(data.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(largestDifference(data.map(({ embedding }) => embedding).flat(), expected)).toBeLessThan(1e-6);
    expect(usage).toEqual({
      prompt_tokens: ids.reduce((sum, one) => sum + one.length + 1, 0),
      total_tokens: usage.prompt_tokens,
    });
    const tokens = await post(`${url}v1/embeddings`, { input: ids.map((one) => [...one]), encoding_format: "base64" });
    const decoded = (tokens.body as unknown as Embeddings).data.map(({ embedding }) => {
      const bytes = Buffer.from(embedding as unknown as string, "base64");
      return [...Array(bytes.length / 4).keys()].map((i) => bytes.readFloatLE(4 * i));
    });
    expect(largestDifference(decoded.flat(), expected)).toBeLessThan(1e-6);
    const flat = await post(`${url}v1/embeddings`, { input: [...ids[0]!] });
    expect((flat.body as unknown as Embeddings).data).toHaveLength(1);
    const tei = await post(`${url}embed`, { inputs: texts[0] });
    expect(largestDifference((tei.body as unknown as number[][])[0]!, expected.subarray(0, 32))).toBeLessThan(1e-6);
  });

  test("dimensions: cut and of length 1 where the model was trained for it, else refused", async () => {
    const url = await start({ model: bag });
    const whole = await post(`${url}v1/embeddings`, { input: "push item" });
    const short = await post(`${url}v1/embeddings`, { input: "push item", dimensions: 8 });
    const [a, b] = [whole, short].map(({ body }) => (body as unknown as Embeddings).data[0]!.embedding);
    expect(b).toHaveLength(8);
    expect(dot(b!, b!)).toBeCloseTo(1, 5);
    const norm = Math.sqrt(dot(a!.slice(0, 8), a!.slice(0, 8)));
    expect(largestDifference(b!, a!.slice(0, 8).map((x) => x / norm))).toBeLessThan(1e-6); // prettier-ignore
    for (const dimensions of [7, 64]) {
      const refused = await post(`${url}v1/embeddings`, { input: "x", dimensions });
      expect([refused.status, refused.body["error"]]).toMatchObject([
        400,
        {
          code: "invalid_dimensions",
          param: "dimensions",
          message: expect.stringContaining("32 or 16 or 8") as string,
        },
      ]);
    }
  });

  test("many requests at once share runs of the model, and each gets its own", async () => {
    const url = await start({ model: full, limits: { waitMilliseconds: 20 } });
    const alone = await Promise.all(
      Array.from({ length: 20 }, (_, i) => post(`${url}embed`, { inputs: `text ${i % 4} ${"a".repeat(i % 4)}` })),
    );
    const vectors = alone.map(({ body }) => (body as unknown as number[][])[0]!);
    for (let i = 4; i < 20; i++) expect(largestDifference(vectors[i]!, vectors[i % 4]!)).toBeLessThan(1e-5);
    expect(dot(vectors[0]!, vectors[3]!)).toBeLessThan(0.9999);
    const metrics = await (await fetch(`${url}metrics`)).text();
    expect(Number(/^lodestone_batches_total (\d+)$/m.exec(metrics)![1])).toBeLessThan(20);
    expect(metrics).toMatch(/^lodestone_batch_sequences_total 20$/m);
    expect(metrics).toMatch(/^lodestone_requests_total\{method="POST",route="\/embed",status="200"\} 20$/m);
    expect(metrics).toMatch(/^lodestone_queue_tokens 0$/m);
  });

  test("what is too long is refused, or cut where that is asked for", async () => {
    const url = await start({ model: full, limits: { requestTokens: 100 } });
    const long = "a b c ".repeat(100);
    const refused = await post(`${url}v1/embeddings`, { input: ["x", long] });
    expect([refused.status, refused.body["error"]]).toMatchObject([
      413,
      { code: "context_length_exceeded", message: expect.stringContaining("47 tokens") as string },
    ]);
    const cut = await post(`${url}embed`, { inputs: long, truncate: true });
    const encoder = await openEncoder(full, {});
    const expected = await encoder.embedAll([long]); // The encoder itself cuts.
    await encoder.close();
    expect(largestDifference((cut.body as unknown as number[][])[0]!, expected)).toBeLessThan(1e-6);
    const many = await post(`${url}embed`, { inputs: [long, long, long], truncate: true });
    expect([many.status, many.body["error"]]).toMatchObject([413, { code: "request_too_large" }]);
    const batch = await post(`${url}embed`, { inputs: Array.from({ length: 2049 }, () => "a") });
    expect([batch.status, batch.body["error"]]).toMatchObject([413, { code: "batch_too_large" }]);
  });

  test("goes on when the model's files are deleted", async () => {
    const own = await newModel(temporary, "full");
    const url = await start({ model: own });
    await rm(own, { recursive: true });
    expect((await post(`${url}embed`, { inputs: "still here" })).status).toBe(200);
  });

  test("a wrong model, a wrong token and no model at all are told", async () => {
    const url = await start({ model: full, modelName: "tiny" });
    const cases: [unknown, number, string][] = [
      [{ input: "x", model: "text-embedding-3-small" }, 404, "model_not_found"],
      [{ input: [] }, 400, "empty_input"],
      [{ input: [400] }, 400, "invalid_token"],
      [{ input: [-1] }, 400, "invalid_request"],
      [{ input: [1.5] }, 400, "invalid_request"],
      [{ input: { text: "x" } }, 400, "invalid_request"],
      [{}, 400, "invalid_request"],
      [{ input: "x", encoding_format: "hex" }, 400, "invalid_request"],
      [null, 400, "invalid_request"],
    ];
    for (const [body, status, code] of cases) {
      const got = await post(`${url}v1/embeddings`, body);
      expect([body, got.status, got.body["error"]]).toMatchObject([body, status, { code }]);
    }
    expect(await (await fetch(`${url}v1/models`)).json()).toMatchObject({ data: [{ id: "tiny", object: "model" }] });
    await served!.close();
    const without = await start({ roots: [await newRepository(temporary)] });
    expect((await post(`${without}v1/embeddings`, { input: "x" })).status).toBe(404);
    expect(await (await fetch(`${without}v1/models`)).json()).toEqual({ object: "list", data: [] });
  });
});

interface Answer {
  readonly hits: readonly { readonly repository: string; readonly path: string; readonly text?: string }[];
  readonly tier: string;
  readonly notes: readonly string[];
}

describe("search", () => {
  test("over several repositories, by POST and by GET, with filters, and takes up what changed", async () => {
    const one = await newRepository(temporary, "one");
    const two = await newRepository(temporary, "one", {
      "lib/tide.go": "package tide\n\nfunc HighWater() int {\n\treturn 12\n}\n",
    });
    const url = await start({ roots: [one, two], encoder: { static: bag } });
    await untilReady(url);
    const both = (await post(`${url}search`, { query: "high water" })).body as unknown as Answer;
    expect(both.tier).toBe("static");
    expect(both.hits.slice(0, 2).map(({ repository, path }) => `${repository}/${path}`)).toEqual([
      "one/README.md",
      "one-2/lib/tide.go",
    ]);
    const ask = async (query: string): Promise<Answer> =>
      (await (await fetch(`${url}search?${query}`)).json()) as Answer;
    const got = await ask("q=parseDate&repository=one&language=javascript&type=function&limit=1&explain=true");
    expect(got.hits).toMatchObject([
      { path: "src/date.js", startLine: 1, text: expect.stringContaining("parseDate") as string },
    ]);
    expect(got.hits[0]).toHaveProperty("explanation.lexical");
    expect((await ask("q=parseDate&text=false")).hits[0]).not.toHaveProperty("text");
    expect((await ask("q=area&path=src/*.py")).hits.every(({ path }) => path === "src/area.py")).toBe(true);
    expect((await ask("q=%00")).hits).toEqual([]);
    await writeFile(join(one, "src", "moon.js"), "export function moonPhase(day) {\n  return day % 29;\n}\n");
    await post(`${url}repositories/one/reindex`, {});
    await untilReady(url);
    expect((await ask("q=moonPhase")).hits[0]).toMatchObject({ path: "src/moon.js" });
    const { repositories } = (await (await fetch(`${url}repositories`)).json()) as { repositories: unknown[] };
    expect(repositories).toMatchObject([
      { name: "one", state: "ready", files: 5 },
      { name: "one-2", files: 1 },
    ]);
  });

  test("refuses what it cannot answer, and stays inside its folders", async () => {
    const root = await newRepository(temporary);
    await mkdir(join(root, "..", "secret"));
    await writeFile(join(root, "..", "secret", "key.js"), "const secretKey = 1;");
    const url = await start({ roots: [root] });
    await untilReady(url);
    const cases: [unknown, number, string][] = [
      [{ query: "x".repeat(65_537) }, 413, "query_too_long"],
      [{ query: "x", repository: "../secret" }, 400, "search.no-such-repository"],
      [{ query: "x", languages: ["klingon"] }, 400, "search.language"],
      [{ query: "x", limit: 0 }, 400, "invalid_request"],
      [{ query: "x", types: ["novel"] }, 400, "invalid_request"],
      [{ query: 7 }, 400, "invalid_request"],
      [{}, 400, "invalid_request"],
    ];
    for (const [body, status, code] of cases) {
      const got = await post(`${url}search`, body);
      expect([got.status, got.body["error"]]).toMatchObject([status, { code }]);
    }
    expect((await fetch(`${url}search?q=x&type=novel`)).status).toBe(400);
    const answer = (await post(`${url}search`, { query: "secretKey", paths: ["../secret/**", "/**"] }))
      .body as unknown as Answer;
    expect(JSON.stringify(answer.hits)).not.toContain("secretKey");
    for (const path of [
      "client/../../package.json",
      "client/%2e%2e%2fsearch.js",
      "..%2f..%2fetc/passwd",
      "client/search.ts",
    ]) {
      expect([path, (await rawRequest(`${url}${path}`)).status]).toEqual([path, 404]);
    }
    expect((await post(`${url}search`, { query: "" })).body).toMatchObject({ hits: [] });
  });

  test("a file that became a link out of its folder is not read", async () => {
    const root = await newRepository(temporary);
    await writeFile(join(root, "..", "key.js"), "const secretKey = 1;\n".repeat(5));
    const url = await start({ roots: [root] });
    await untilReady(url);
    await rm(join(root, "src", "date.js"));
    await symlink(join(root, "..", "key.js"), join(root, "src", "date.js"));
    const { hits } = (await post(`${url}search`, { query: "parseDate", limit: 1 })).body as unknown as Answer;
    expect(hits).toMatchObject([{ path: "src/date.js", stale: true }]);
    expect(JSON.stringify(hits)).not.toContain("secretKey");
  });

  test("goes on when the files of its encoder are deleted", async () => {
    const model = await newModel(temporary, "static");
    const url = await start({ roots: [await newRepository(temporary)], encoder: { static: model } });
    await untilReady(url);
    expect((await post(`${url}search`, { query: "calendar day" })).body).toMatchObject({ tier: "static" });
    await rm(model, { recursive: true });
    const answer = await post(`${url}search`, { query: "calendar day", limit: 1 });
    expect([answer.status, answer.body]).toMatchObject([200, { tier: "static", hits: [{ path: "src/date.js" }] }]);
    expect((await post(`${url}repositories/repo/reindex`, {})).status).toBe(200);
    await untilReady(url);
    expect((await fetch(`${url}health`)).status).toBe(200);
  });

  test("every search is answered while the folder is indexed again and again", async () => {
    const root = await newRepository(temporary);
    const url = await start({ roots: [root], encoder: { static: bag } });
    await untilReady(url);
    for (let i = 0; i < 10; i++) {
      await writeFile(join(root, "src", `new${i}.js`), `export function fresh${i}() {\n  return ${i};\n}\n`);
      const [reindexed, ...answers] = await Promise.all([
        post(`${url}repositories/repo/reindex`, {}),
        ...Array.from({ length: 5 }, () => post(`${url}search`, { query: "parseDate", limit: 1 })),
      ]);
      expect(reindexed.status).toBe(200);
      for (const { status, body } of answers) {
        expect([status, body]).toMatchObject([200, { hits: [{ path: "src/date.js" }] }]);
      }
    }
    await untilReady(url);
    expect((await post(`${url}search`, { query: "fresh9", limit: 1 })).body).toMatchObject({
      hits: [{ path: "src/new9.js" }],
    });
  });

  test("answers while it indexes, and says that it does", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 400 }, (_, i) => [`f${i}.js`, `export function call${i}(a) {\n  return a + ${i};\n}\n`]),
    );
    const url = await start({ roots: [await newRepository(temporary, "big", files)] });
    const early = (await post(`${url}search`, { query: "call7" })).body as unknown as Answer;
    expect(early.notes.join()).toContain("big is being indexed");
    await untilReady(url);
    const late = (await post(`${url}search`, { query: "call7" })).body as unknown as Answer;
    expect(late.hits[0]).toMatchObject({ path: "f7.js" });
    expect(late.notes.join()).not.toContain("being indexed");
  });
});

describe("who may ask", () => {
  test("other hosts and pages of other origins get nothing", async () => {
    const url = await start({ roots: [await newRepository(temporary)], allowedHosts: ["code.example"] });
    const { host } = new URL(url);
    const status = async (headers: Record<string, string>) => (await rawRequest(`${url}v1/models`, { headers })).status;
    expect(await status({ host: "attacker.example" })).toBe(403);
    expect(await status({ host: "code.example:80" })).toBe(200);
    expect(await status({ origin: "http://attacker.example" })).toBe(403);
    expect(await status({ origin: "null" })).toBe(403);
    expect(await status({ origin: `http://${host}` })).toBe(200);
    const page = await rawRequest(url);
    expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
    expect((await rawRequest(`${url}v1/models`)).headers["access-control-allow-origin"]).toBeUndefined();
  });

  test("with a token, only who has it; and it is needed where others can connect", async () => {
    const token = "correct horse battery";
    const url = await start({ roots: [await newRepository(temporary)], token });
    const status = async (authorization?: string) =>
      (await fetch(`${url}v1/models`, authorization === undefined ? {} : { headers: { authorization } })).status;
    expect(await status()).toBe(401);
    expect(await status(`Bearer ${token}x`)).toBe(401);
    expect(await status(`Basic ${token}`)).toBe(401);
    expect(await status(`Bearer ${token}`)).toBe(200);
    const refused = await rawRequest(`${url}search?q=x`);
    expect(refused.headers["www-authenticate"]).toContain("Bearer");
    expect(JSON.parse(refused.text)).toMatchObject({ error: { code: "invalid_api_key" } });
    for (const path of ["", "health", "openapi.json"]) expect((await fetch(url + path)).status).toBe(200);
    expect((await fetch(`${url}metrics`)).status).toBe(401);
    const { startServe } = await import("../src/server/index.js");
    const options = { roots: [temporary], encoder: {}, version: "1", log: () => undefined };
    for (const given of [{}, { token: "short" }]) {
      const starting = startServe({ ...options, ...given }, { host: "0.0.0.0", port: 0 });
      await expect(starting).rejects.toMatchObject({ code: "serve.token" });
    }
    await expect(startServe({ ...options, roots: [] }, { port: 0 })).rejects.toMatchObject({ code: "serve.nothing" });
  });
});

describe("bad input and bad times", () => {
  test("malformed JSON, another content type, no such route, another method", async () => {
    const url = await start({ model: bag });
    const send = (headers: Record<string, string>, body: string) =>
      rawRequest(`${url}v1/embeddings`, { method: "POST", headers, body });
    const json = { "content-type": "application/json" };
    for (const [headers, body, status, code] of [
      [json, '{"input": "secret text', 400, "invalid_json"],
      [json, "", 400, "invalid_json"],
      [json, "\u0000", 400, "invalid_json"],
      [{ "content-type": "text/plain" }, '{"input":"x"}', 415, "unsupported_media_type"],
      [{}, '{"input":"x"}', 415, "unsupported_media_type"],
    ] as const) {
      const got = await send(headers, body);
      expect([got.status, JSON.parse(got.text)]).toMatchObject([status, { error: { code } }]);
      expect(got.text).not.toContain("secret");
    }
    expect((await send({ "content-type": "application/json; charset=utf-8" }, '{"input":"x"}')).status).toBe(200);
    for (const [method, path] of [
      ["GET", "nowhere"],
      ["DELETE", "v1/embeddings"],
      ["GET", "v1/embeddings"],
    ] as const) {
      const got = await rawRequest(url + path, { method });
      expect([got.status, JSON.parse(got.text)]).toMatchObject([404, { error: { code: "not_found" } }]);
    }
  });

  test("a body above the limit is refused, whether it tells its size or not", async () => {
    const url = await start({ model: bag, limits: { bodyBytes: 1000 } });
    const body = JSON.stringify({ input: "x".repeat(2000) });
    const json = { "content-type": "application/json" };
    const told = await rawRequest(`${url}embed`, {
      method: "POST",
      headers: { ...json, "content-length": String(body.length) },
      body,
    });
    const untold = await rawRequest(`${url}embed`, {
      method: "POST",
      headers: { ...json, "transfer-encoding": "chunked" },
      body,
    });
    for (const got of [told, untold]) {
      expect([got.status, JSON.parse(got.text)]).toMatchObject([413, { error: { code: "request_too_large" } }]);
    }
    expect((await post(`${url}embed`, { inputs: "x" })).status).toBe(200);
  });

  test("who sends too slowly is cut off, in headers and in the body; the others are served meanwhile", async () => {
    const url = await start({ model: bag, limits: { arrivalSeconds: 1 } });
    const { hostname, port, host } = new URL(url);
    const slow = (head: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(Number(port), hostname);
        let got = "";
        const drip = setInterval(() => socket.write("a"), 100);
        socket.on("data", (piece) => (got += piece.toString()));
        socket.on("error", () => undefined);
        socket.on("close", () => {
          clearInterval(drip);
          resolve(got);
        });
        socket.write(head);
      });
    const began = performance.now();
    const pending = [
      slow(`GET /health HTTP/1.1\r\nHost: ${host}\r\nX-A: `),
      slow(`POST /embed HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{`),
    ];
    expect((await post(`${url}embed`, { inputs: "x" })).status).toBe(200);
    const [headers, body] = await Promise.all(pending);
    expect(headers).toMatch(/^HTTP\/1.1 408 /);
    expect(body).toMatch(/^(HTTP\/1.1 408 |$)/);
    expect(performance.now() - began).toBeLessThan(8000);
    expect((await post(`${url}embed`, { inputs: "x" })).status).toBe(200);
  });

  test("a full queue: 429 with Retry-After, and nothing else goes wrong", async () => {
    const url = await start({ model: full, limits: { queueTokens: 60, batchTokens: 48 } });
    const inputs = Array.from({ length: 1000 }, () => "return this items push user name get session");
    const all = await Promise.all(Array.from({ length: 12 }, () => post(`${url}embed`, { inputs })));
    const statuses = all.map(({ status }) => status);
    expect(statuses).toContain(200);
    expect(statuses).toContain(429);
    expect(statuses.every((status) => status === 200 || status === 429)).toBe(true);
    const refused = all.find(({ status }) => status === 429)!;
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(refused.body["error"]).toMatchObject({ code: "queue_full", type: "rate_limit_error" });
    expect((await post(`${url}embed`, { inputs: "x" })).status).toBe(200);
  });

  test("what takes too long is refused with 503", async () => {
    const url = await start({ model: full, limits: { timeoutSeconds: 0.001 } });
    const got = await post(`${url}embed`, { inputs: Array.from({ length: 500 }, () => "return this items push") });
    expect([got.status, got.body["error"]]).toMatchObject([503, { code: "timeout" }]);
  });

  test("stopping: what was asked is answered, then the port is free", async () => {
    const url = await start({ model: full, limits: { waitMilliseconds: 3000 } });
    const asked = post(`${url}embed`, { inputs: "last words" });
    const waits = async (): Promise<boolean> =>
      /^lodestone_queue_tokens [1-9]/m.test(await (await fetch(`${url}metrics`)).text());
    while (!(await waits())) await new Promise((resolve) => setTimeout(resolve, 20));
    const closing = served!.close();
    expect((await asked).status).toBe(200);
    await closing;
    served = undefined;
    await expect(fetch(`${url}health`)).rejects.toThrow();
  });
});

test("the log tells of each request, and nothing of what was asked", async () => {
  const url = await start({ model: bag, roots: [await newRepository(temporary)] });
  await post(`${url}embed`, { inputs: ["classified", "words"] });
  await fetch(`${url}search?q=classified`);
  await fetch(`${url}classified/path`);
  await rawRequest(`${url}embed`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{classified",
  });
  expect(served!.log).toMatchObject([
    { level: "info", method: "POST", route: "/embed", status: 200, inputs: 2 },
    { route: "/search", status: 200 },
    { route: "other", status: 404, code: "not_found" },
    { route: "/embed", status: 400, code: "invalid_json" },
  ]);
  expect(JSON.stringify(served!.log)).not.toContain("classified");
});

test("the OpenAPI document lists every route, and its answers are as it says", async () => {
  const url = await start({ model: bag, modelName: "tiny", roots: [await newRepository(temporary)] });
  await untilReady(url);
  const document = (await (await fetch(`${url}openapi.json`)).json()) as {
    paths: Record<string, Record<string, { requestBody?: unknown }>>;
    components: { schemas: Record<string, unknown> };
  };
  const { ROUTES } = await import("../src/server/_openapi.js");
  const bodies: Record<string, unknown> = {
    "/v1/embeddings": { input: "x" },
    "/embed": { inputs: ["x"] },
    "/search": { query: "area", explain: true },
  };
  for (const { method, path, answer } of ROUTES) {
    expect(document.paths[path]?.[method], path).toBeDefined();
    const address = `${url}${path.slice(1).replace("{name}", "repo")}${method === "get" && path === "/search" ? "?q=area" : ""}`;
    const got =
      method === "post"
        ? await post(address, bodies[path] ?? {})
        : { body: undefined, status: (await fetch(address)).status };
    expect([path, got.status]).toEqual([path, 200]);
    if (answer === undefined) continue;
    const body = got.body ?? ((await (await fetch(address)).json()) as unknown);
    expect([path, answer.safeParse(body).error]).toEqual([path, undefined]);
  }
  const references = new Set(JSON.stringify(document).match(/#\/components\/schemas\/\w+/g));
  for (const reference of references) expect(document.components.schemas).toHaveProperty(reference.split("/").at(-1)!);
});

test("what is shown in docs/serve.md exists", async () => {
  const text = await readFile(new URL("../docs/serve.md", import.meta.url), "utf8");
  const { ROUTES } = await import("../src/server/_openapi.js");
  for (const { path } of ROUTES) expect(text).toContain(path.replace("{name}", "NAME"));
});

test("from the command line: the address on standard output, the log on standard error, SIGTERM ends it", async () => {
  const root = await newRepository(temporary);
  const child = spawn(process.execPath, [cliPath, "serve", "--root", root, "--model", bag, "--port", "0"]);
  let log = "";
  child.stderr.on("data", (piece: Buffer) => (log += piece.toString()));
  const url = await new Promise<string>((resolve) =>
    child.stdout.once("data", (piece: Buffer) => resolve(piece.toString().trim())),
  );
  await untilReady(url);
  expect((await post(`${url}v1/embeddings`, { input: "x", model: "small-static" })).status).toBe(200);
  expect((await post(`${url}search`, { query: "parseDate", limit: 1 })).body).toMatchObject({
    hits: [{ path: "src/date.js" }],
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once("close", (_, signal) => resolve(signal)));
  child.kill("SIGTERM");
  expect(await ended).toBeNull(); // By itself, not by the signal.
  const lines = log.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as LogLine); // prettier-ignore
  expect(lines.at(-1)).toMatchObject({ route: "/search", status: 200 });
});

test("from the command line: what is wrong is told in one line", async () => {
  expectComplaint(await lodestone(["serve", "/nowhere/at/all"]), /expected a folder to search, got none/);
  expectComplaint(
    await lodestone(["serve", temporary, "--host", "0.0.0.0"], { env: { LODESTONE_TOKEN: "" } }),
    /token/,
  );
  expectComplaint(await lodestone(["mcp", temporary, "--rebuild", "--keep-both"]), /got both/);
});
