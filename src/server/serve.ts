import { Hono } from "hono";
import { UserError } from "../base/index.js";
import { SEARCH_PAGE } from "../web/index.js";
import { clientScript } from "./_client-files.js";
import { EmbeddingService, openModel } from "./_embedding-service.js";
import { ApiError, asApiError, errorResponse } from "./_errors.js";
import { Gate } from "./_gate.js";
import { knownHosts, PAGE_HEADERS, startServer, type Address, type RunningServer } from "./_local.js";
import { Metrics } from "./_metrics.js";
import { bearer, limitedBody, observed, type LogLine } from "./_middleware.js";
import { openApiDocument } from "./_openapi.js";
import { Repositories, type RepositoryOptions } from "./_repositories.js";
import { addEmbeddingRoutes, addSearchRoutes } from "./_routes.js";
import { MAX_INPUTS } from "./_schemas.js";

/** Bounds of `lodestone serve`. */
export interface ServeLimits {
  /** Bytes of a request's body. Default 8 MiB. */
  readonly bodyBytes?: number;
  /** Tokens of one request for embeddings. Default 262,144. */
  readonly requestTokens?: number;
  /** Tokens that may wait for the model before requests are refused with 429. Default 1,048,576. */
  readonly queueTokens?: number;
  /** Tokens in one run of the model. Default 8,192. */
  readonly batchTokens?: number;
  /** How long the first of a batch waits for company, milliseconds. Default 3. */
  readonly waitMilliseconds?: number;
  /** Searches that may wait. Default 256. */
  readonly queuedSearches?: number;
  /** Until a request is answered or refused. Default 60. */
  readonly timeoutSeconds?: number;
  /** Until a request has arrived, headers and body. Default 30. */
  readonly arrivalSeconds?: number;
}

export interface ServeOptions extends RepositoryOptions {
  /** Folders that may be searched. */
  readonly roots: readonly string[];
  /** Folder of the model for embeddings. */
  readonly model?: string;
  /** What requests call it; the folder's name by default. */
  readonly modelName?: string;
  /** Cut texts that are too long instead of refusing them. */
  readonly autoTruncate?: boolean;
  /** What clients must send as a bearer token. Needed where others than this machine can connect. */
  readonly token?: string;
  /** Further host names that requests may be addressed to. */
  readonly allowedHosts?: readonly string[];
  readonly limits?: ServeLimits;
  readonly version: string;
  readonly log: (line: LogLine) => void;
}

/** Answered without a token: the page asks for it, and whoever watches over the process has none. */
const OPEN_PATHS = new Set([
  ...["/", "/health", "/openapi.json"],
  ...["search", "highlight", "coloured-lines"].map((name) => `/client/${name}.js`),
]);

/**
 * Serves embeddings and search over HTTP until closed; see `docs/serve.md`.
 *
 * @throws UserError `serve.nothing`, `serve.token`, `server.port`, `model.*`, those of `openIndex`
 */
export async function startServe(options: ServeOptions, address: Address): Promise<RunningServer> {
  checkOptions(options, address);
  const { limits = {}, threads } = options;
  const metrics = new Metrics();
  const model = options.model === undefined ? undefined : await openModel(options.model, options.modelName, threads);
  const embeddings =
    model === undefined
      ? undefined
      : new EmbeddingService(model, {
          batchTokens: limits.batchTokens ?? 8192,
          waitMilliseconds: limits.waitMilliseconds ?? 3,
          queueTokens: limits.queueTokens ?? 2 ** 20,
          requestTokens: limits.requestTokens ?? 2 ** 18,
          autoTruncate: options.autoTruncate ?? false,
          onBatch: ({ sequences, tokens, seconds }) => {
            metrics.add("lodestone_batches_total");
            metrics.add("lodestone_batch_sequences_total", {}, sequences);
            metrics.add("lodestone_tokens_total", {}, tokens);
            metrics.observe("lodestone_batch_seconds", {}, seconds);
          },
        });
  let repositories: Repositories | undefined;
  const closeParts = async (): Promise<void> => {
    await repositories?.close();
    await model?.encoder.close();
  };
  try {
    repositories = await Repositories.open(options.roots, options);
    const state = { draining: false };
    const searches = new Gate(4, limits.queuedSearches ?? 256);
    describeMetrics(metrics, embeddings, searches);
    const app = newApp(options, address, metrics, state);
    const timeoutMilliseconds = 1000 * (limits.timeoutSeconds ?? 60);
    addEmbeddingRoutes(app, { embeddings, repositories, searches, timeoutMilliseconds });
    addSearchRoutes(app, { embeddings, repositories, searches, timeoutMilliseconds });
    addDescriptions(app, options, embeddings, metrics, state);
    const arrival = 1000 * (limits.arrivalSeconds ?? 30);
    const server = await startServer(app, address, {
      headersTimeout: arrival,
      requestTimeout: arrival,
      connectionsCheckingInterval: Math.min(1000, arrival / 2),
      keepAliveTimeout: 5000,
      maxHeaderSize: 16_384,
    });
    return {
      url: server.url,
      close: async (graceSeconds) => {
        state.draining = true;
        await server.close(graceSeconds);
        await closeParts();
      },
    };
  } catch (error) {
    await closeParts();
    throw error;
  }
}

function checkOptions({ roots, model, token }: ServeOptions, { host = "127.0.0.1" }: Address): void {
  if (roots.length === 0 && model === undefined) {
    throw new UserError("serve.nothing", "serve: expected a folder to search or a model, got neither", {
      fix: "Name folders, or give --model DIR",
    });
  }
  const own = host === "localhost" || host === "::1" || host.startsWith("127.");
  if (own || (token !== undefined && token.length >= 16)) return;
  throw new UserError(
    "serve.token",
    `serve: expected a token of at least 16 characters for ${host}, where others can connect, got ${token === undefined ? "none" : "a shorter one"}`,
    { fix: "Set LODESTONE_TOKEN, or serve this machine only (--host 127.0.0.1)" },
  );
}

/** What stands before every route. */
function newApp(options: ServeOptions, address: Address, metrics: Metrics, state: { draining: boolean }): Hono {
  const app = new Hono();
  app.onError((error, context) => {
    const refusal = asApiError(error);
    const { noted } = context.var;
    noted.code = refusal.code;
    if (refusal.status === 500) noted.stack = placesOf(error);
    return errorResponse(context, refusal);
  });
  app.notFound((context) => {
    context.var.noted.code = "not_found";
    return errorResponse(context, new ApiError(404, "not_found", "no such route; /openapi.json lists them"));
  });
  app.use(observed(metrics, options.log));
  const own = address.host === undefined ? [] : [address.host];
  app.use(knownHosts([...own, ...(options.allowedHosts ?? [])]));
  app.use(async (context, next) => {
    if (!state.draining || context.req.path === "/health") return next();
    context.header("Connection", "close");
    throw new ApiError(503, "draining", "the server is stopping", { retryAfterSeconds: 2 });
  });
  if (options.token !== undefined) app.use(bearer(options.token, OPEN_PATHS));
  app.use(limitedBody(options.limits?.bodyBytes ?? 8 * 2 ** 20));
  app.use(async (context, next) => {
    await next();
    context.header("X-Content-Type-Options", "nosniff");
    context.header("Cache-Control", "no-store");
  });
  return app;
}

/** The page, and the routes that tell of the server itself. */
function addDescriptions(
  app: Hono,
  options: ServeOptions,
  embeddings: EmbeddingService | undefined,
  metrics: Metrics,
  state: { draining: boolean },
): void {
  const document = openApiDocument(options.version);
  app.get("/", (context) => context.html(SEARCH_PAGE, 200, PAGE_HEADERS));
  app.get("/client/:name", async (context) => {
    const text = await clientScript(context.req.param("name"));
    if (text === undefined) return context.notFound();
    return context.body(text, 200, { ...PAGE_HEADERS, "Content-Type": "text/javascript; charset=utf-8" });
  });
  app.get("/openapi.json", (context) => context.json(document));
  app.get("/health", (context) =>
    state.draining ? context.json({ status: "draining" }, 503) : context.json({ status: "ok" }),
  );
  app.get("/metrics", (context) =>
    context.text(metrics.text(), 200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" }),
  );
  app.get("/info", (context) => {
    const config = embeddings?.model.encoder.config;
    return context.json({
      model_id: embeddings?.model.name ?? null,
      model_sha: embeddings?.model.sha ?? null,
      model_dtype: "float32",
      model_type: config === undefined ? null : { embedding: { pooling: config.pooling } },
      dimensions: embeddings?.dimensions ?? [],
      max_input_length: config?.maxLength ?? null,
      max_batch_tokens: options.limits?.batchTokens ?? 8192,
      max_client_batch_size: MAX_INPUTS,
      auto_truncate: options.autoTruncate ?? false,
      version: options.version,
    });
  });
}

function describeMetrics(metrics: Metrics, embeddings: EmbeddingService | undefined, searches: Gate): void {
  metrics.describe("lodestone_requests_total", "Requests answered");
  metrics.describe("lodestone_request_seconds", "Time from a request's arrival to its answer");
  metrics.describe("lodestone_tokens_total", "Tokens that the model has read");
  metrics.describe("lodestone_batches_total", "Runs of the model");
  metrics.describe("lodestone_batch_sequences_total", "Texts in the runs of the model");
  metrics.describe("lodestone_batch_seconds", "Time of a run of the model");
  metrics.describe("lodestone_queue_tokens", "Tokens that wait for the model");
  metrics.describe("lodestone_queue_searches", "Searches that wait");
  metrics.gauge("lodestone_queue_tokens", () => embeddings?.batcher.waitingTokens ?? 0);
  metrics.gauge("lodestone_queue_searches", () => searches.length);
  metrics.describe("process_resident_memory_bytes", "Memory of the process");
  metrics.gauge("process_resident_memory_bytes", () => process.memoryUsage.rss());
}

/** An error's name and the places of its stack; its message may quote what a client sent. */
function placesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [typeof error];
  const places = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return [error.name, ...places.map((line) => line.trim())];
}
