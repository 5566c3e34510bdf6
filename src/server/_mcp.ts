import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { Hono } from "hono";
import { z } from "zod";
import { UserError } from "../base/index.js";
import { CHUNK_KINDS, type SearchOptions } from "../search/index.js";
import { asApiError, errorResponse } from "./_errors.js";
import { knownHosts, startServer, type Address, type RunningServer } from "./_local.js";
import { answerText, statusText } from "./_mcp-text.js";
import { bearer, limitedBody } from "./_middleware.js";
import { askAll, checkLanguages, Repositories } from "./_repositories.js";
import { MAX_QUERY } from "./_schemas.js";
import type { McpHttpOptions, McpOptions, McpStreams } from "./mcp.js";

/** How long an answer waits for what changed to be taken up, and for the first indexing. */
const FRESH = 3000;
const FIRST = 25_000;

const repository = z.string().optional().describe("Which folder, by the name that index_status gives; default: all");
const limit = z.int().min(1).max(50).default(8).describe("Hits at most");
const maxTokens = z.int().min(100).max(20_000).default(2000).describe("Length of the answer, at most");

/** A server of the Model Context Protocol over some indexed folders. One per connection. */
function newMcpServer(repositories: Repositories, version: string): McpServer {
  const server = new McpServer(
    { name: "lodestone", version },
    {
      instructions:
        "Semantic search over local code. Use `search` to find code by what it does, how it is called, or by example; " +
        "`find_related` to find code like the one at a line. Paths are relative to the folder that is searched.",
    },
  );
  const several = repositories.all.length > 1;
  server.registerTool(
    "search",
    {
      title: "Search code",
      description: "Finds places in the code that answer a question, a name, or a piece of code, best first",
      inputSchema: {
        query: z.string().min(1).max(MAX_QUERY).describe("A question in plain words, a name, or code"),
        limit,
        languages: z.array(z.string()).max(50).optional().describe("Only these, e.g. [python, go]"),
        paths: z.array(z.string()).max(50).optional().describe("Only these paths, patterns as in .gitignore"),
        types: z.array(z.enum(CHUNK_KINDS)).optional().describe("Only these kinds of places"),
        repository,
        max_tokens: maxTokens,
      },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    (given) =>
      answered(async () => {
        checkLanguages(given.languages);
        const options: SearchOptions = {
          limit: given.limit,
          text: true,
          ...(given.languages === undefined ? {} : { languages: given.languages }),
          ...(given.paths === undefined ? {} : { paths: given.paths }),
          ...(given.types === undefined ? {} : { kinds: given.types }),
        };
        const chosen = repositories.named(given.repository);
        await Promise.all(chosen.map((one) => one.fresh(FRESH, FIRST)));
        const found = await askAll(chosen, given.limit, (one) => one.search(given.query, options));
        return answerText(found, given.max_tokens, several);
      }),
  );
  server.registerTool(
    "find_related",
    {
      title: "Find related code",
      description:
        "Finds code that is like the code at a line of a file: twins, counterparts, further uses of a pattern",
      inputSchema: {
        path: z.string().min(1).describe("A file, relative to its folder"),
        line: z.int().min(1).describe("1-based"),
        limit,
        repository,
        max_tokens: maxTokens,
      },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    (given) =>
      answered(async () => {
        const chosen = repositories.named(given.repository);
        if (chosen.length > 1) {
          throw new UserError("mcp.repository", "find_related: expected one repository, got none", {
            fix: `Name one of ${chosen.map(({ name }) => name).join(", ")}`,
          });
        }
        await chosen[0]!.fresh(FRESH, FIRST);
        const found = await askAll(chosen, given.limit, (one) =>
          one.related(given.path, given.line, { limit: given.limit, text: true }),
        );
        return answerText(found, given.max_tokens, several);
      }),
  );
  server.registerTool(
    "index_status",
    {
      title: "Status of the index",
      description: "Tells what is indexed, how far, and what answers come from",
      inputSchema: { repository },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    (given) =>
      answered(async () => (await Promise.all(repositories.named(given.repository).map(statusText))).join("\n\n")),
  );
  server.registerTool(
    "reindex",
    {
      title: "Take up changes",
      description: "Takes up what changed in the files. Searches do that by themselves; needed only to be sure",
      inputSchema: { repository },
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    },
    (given) =>
      answered(async () => {
        const chosen = repositories.named(given.repository);
        await Promise.all(chosen.map((one) => one.fresh(FIRST, FIRST)));
        return (await Promise.all(chosen.map(statusText))).join("\n\n");
      }),
  );
  return server;
}

/** What the caller can mend is told as the tool's error; a mistake of ours without its message. */
async function answered(work: () => Promise<string>): Promise<CallToolResult> {
  try {
    return { content: [{ type: "text", text: await work() }] };
  } catch (error) {
    const text = error instanceof UserError ? error.toLine() : asApiError(error).message;
    return { content: [{ type: "text", text }], isError: true };
  }
}

/** See `mcp.ts`. */
export async function serveMcp(
  { roots, version, ...options }: McpOptions,
  { input, output, signal }: McpStreams,
): Promise<void> {
  const repositories = await Repositories.open(roots, options);
  const server = newMcpServer(repositories, version);
  try {
    const ended = new Promise<void>((resolve) => {
      for (const event of ["end", "close", "error"]) input.once(event, () => resolve());
      output.once("error", () => resolve());
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await server.connect(new StdioServerTransport(input, output));
    await ended;
  } finally {
    await server.close();
    await repositories.close();
  }
}

/** See `mcp.ts`. */
export async function startMcp(
  { roots, version, token, ...options }: McpHttpOptions,
  address: Address,
): Promise<RunningServer> {
  const repositories = await Repositories.open(roots, options);
  const app = new Hono();
  app.onError((error, context) => errorResponse(context, asApiError(error)));
  app.use(knownHosts(address.host === undefined ? [] : [address.host]));
  if (token !== undefined) app.use(bearer(token, new Set()));
  app.use(limitedBody(2 ** 20));
  app.all("/mcp", async (context) => {
    const server = newMcpServer(repositories, version);
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
    // The SDK's types are not written for exactOptionalPropertyTypes.
    await server.connect(transport as Transport);
    try {
      return await transport.handleRequest(context.req.raw);
    } finally {
      await server.close();
    }
  });
  try {
    const server = await startServer(app, address, { headersTimeout: 30_000, requestTimeout: 30_000 });
    return {
      url: `${server.url}mcp`,
      close: async (graceSeconds) => {
        await server.close(graceSeconds);
        await repositories.close();
      },
    };
  } catch (error) {
    await repositories.close();
    throw error;
  }
}
