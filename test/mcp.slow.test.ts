import { PassThrough } from "node:stream";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { afterEach, beforeAll, expect, test } from "vitest";
import { serveMcp, startMcp, type RunningServer } from "../src/server/index.js";
import { cliPath, temporaryFolder } from "./helpers/cli.js";
import { newModel, newRepository, rawRequest } from "./helpers/serving.js";

const temporary = await temporaryFolder("mcp");
let bag: string;
let client: Client | undefined;
let server: RunningServer | undefined;
beforeAll(async () => {
  bag = await newModel(temporary, "static");
}, 60_000);
afterEach(async () => {
  await client?.close();
  await server?.close(1);
  [client, server] = [undefined, undefined];
});

/** The SDK's own client, connected. */
async function connect(transport: Transport): Promise<Client> {
  client = new Client({ name: "test", version: "1" });
  await client.connect(transport);
  return client;
}

async function overHttp(roots: readonly string[], token?: string): Promise<Client> {
  const options = { roots, encoder: { static: bag }, version: "1.2.3" };
  server = await startMcp({ ...options, ...(token === undefined ? {} : { token }) }, { port: 0 });
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return connect(new StreamableHTTPClientTransport(new URL(server.url), { requestInit: { headers } }) as Transport);
}

async function call(name: string, args: Record<string, unknown>): Promise<{ text: string; isError: boolean }> {
  const result = await client!.callTool({ name, arguments: args });
  const [first] = result.content as { type: string; text: string }[];
  return { text: first!.text, isError: result.isError === true };
}

test("over standard input and output, as an agent starts it; it ends with its input", async () => {
  const root = await newRepository(temporary);
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [cliPath, "mcp", root, "--model", bag],
    stderr: "pipe",
  });
  await connect(transport as Transport);
  expect(client!.getServerVersion()).toMatchObject({ name: "lodestone" });
  const { tools } = await client!.listTools();
  expect(tools.map(({ name }) => name)).toEqual(["search", "find_related", "index_status", "reindex"]);
  const { text } = await call("search", { query: "parseDate" });
  expect(text.split("\n").slice(0, 3)).toEqual([
    "src/date.js:1-5 function parseDate",
    "/** Reads a calendar day. */",
    "export function parseDate(text) {",
  ]);
  const pid = transport.pid!;
  await client!.close();
  client = undefined;
  expect(() => process.kill(pid, 0)).toThrow();
});

test("what was just written is found; related code, status, and a second folder", async () => {
  const one = await newRepository(temporary, "one");
  const two = await newRepository(temporary, "two", { "a.js": "export function sum(a, b) {\n  return a + b;\n}\n" });
  await overHttp([one, two]);
  expect((await call("search", { query: "sum", repository: "two", types: ["function"] })).text).toMatch(
    /^two: a\.js:1-3 function sum\n/,
  );
  await mkdir(join(one, "lib"));
  await writeFile(join(one, "lib", "moon.js"), "export function moonPhase(day) {\n  return day % 29;\n}\n");
  expect((await call("search", { query: "moonPhase", limit: 1 })).text).toMatch(/^one: lib\/moon\.js:1-3 /);
  const related = await call("find_related", { path: "src/math.js", line: 2, repository: "one" });
  expect(related.text).not.toContain("math.js");
  expect(related.text).toContain("one: ");
  expect((await call("index_status", {})).text).toMatch(/^one: ready; \d+ places in 5 files[^]*\n\ntwo: ready; /);
  expect((await call("reindex", { repository: "one" })).text).toMatch(/^one: /);
});

test("answers keep to their budget of tokens, and places are the last to go", async () => {
  const long = Array.from({ length: 20 }, (_, i) => [
    `f${i}.js`,
    `export function retry${i}(task) {\n${"  task = task.again();\n".repeat(30)}  return task;\n}\n`,
  ]);
  await overHttp([await newRepository(temporary, "long", Object.fromEntries(long) as Record<string, string>)]);
  for (const tokens of [100, 300, 1000, 4000]) {
    const { text } = await call("search", { query: "retry a task", limit: 20, max_tokens: tokens });
    expect(text.length).toBeLessThanOrEqual(4 * tokens);
    const places = text.match(/^f\d+\.js:\d+-\d+ /gm)!.length;
    if (tokens >= 300) expect(places).toBe(20);
    else expect(text).toMatch(/\(\d+ more hits do not fit\)$/);
    if (tokens === 1000) expect(text).toContain("more lines");
  }
});

test("what is wrong is told as the tool's error, and nothing outside the folder is read", async () => {
  const root = await newRepository(temporary);
  await writeFile(join(root, "..", "key.js"), "const secretKey = 1;\n");
  await overHttp([root]);
  for (const path of ["../key.js", join(root, "..", "key.js"), "/etc/passwd", "src/none.js"]) {
    const got = await call("find_related", { path, line: 1 });
    expect([path, got.isError]).toEqual([path, true]);
    expect(got.text).toContain("no such file in the index");
  }
  expect(await call("search", { query: "x", languages: ["klingon"] })).toMatchObject({ isError: true });
  expect(await call("search", { query: "x", repository: "other" })).toMatchObject({ isError: true });
  expect(await call("search", { query: "x", limit: 1000 })).toMatchObject({ isError: true });
  expect(await call("find_related", { path: "src/date.js", line: 99 })).toMatchObject({ isError: true });
});

test("over HTTP: other hosts, other pages and callers without the token are refused", async () => {
  const token = "correct horse battery";
  await overHttp([await newRepository(temporary)], token);
  expect((await call("search", { query: "area" })).isError).toBe(false);
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const send = (more: Record<string, string>, body = "{}") =>
    rawRequest(server!.url, { method: "POST", headers: { ...headers, ...more }, body });
  expect((await send({})).status).toBe(401);
  const authorization = `Bearer ${token}`;
  expect((await send({ authorization, host: "attacker.example" })).status).toBe(403);
  expect((await send({ authorization, origin: "http://attacker.example" })).status).toBe(403);
  expect((await send({ authorization }, "{")).status).toBe(400);
});

test("over streams that end in the middle of a message, it ends", async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const options = { roots: [await newRepository(temporary)], encoder: {}, version: "1" };
  const ended = serveMcp(options, { input, output, signal: new AbortController().signal });
  input.end('{"jsonrpc": "2.0", "id": 1, "meth');
  await ended;
});
