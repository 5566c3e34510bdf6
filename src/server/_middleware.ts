import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { z } from "zod";
import { ApiError, errorResponse } from "./_errors.js";
import type { Metrics } from "./_metrics.js";

/** One request, as the log tells of it: nothing of what was asked or answered. */
export interface LogLine {
  readonly time: string;
  readonly level: "info" | "error";
  readonly id: string;
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
  readonly code?: string;
  readonly inputs?: number;
  readonly tokens?: number;
  /** Name and places of a mistake of ours, without its message, which may quote a text. */
  readonly stack?: readonly string[];
}

/** What handlers tell the log. */
export interface Noted {
  inputs?: number;
  tokens?: number;
  code?: string;
  stack?: readonly string[];
}

declare module "hono" {
  interface ContextVariableMap {
    readonly noted: Noted;
  }
}

/** Counts and logs every request. */
export function observed(metrics: Metrics, log: (line: LogLine) => void): MiddlewareHandler {
  return async (context, next) => {
    const started = performance.now();
    const noted: Noted = {};
    context.set("noted", noted);
    const id = randomUUID();
    context.header("X-Request-Id", id);
    await next();
    const milliseconds = performance.now() - started;
    // The pattern, not the path: paths of clients are contents, and would make metrics without end.
    const route = context.req.routePath === "/*" || context.req.routePath === "*" ? "other" : context.req.routePath;
    const status = context.res.status;
    metrics.add("lodestone_requests_total", { method: context.req.method, route, status: String(status) });
    metrics.observe("lodestone_request_seconds", { route }, milliseconds / 1000);
    log({
      time: new Date().toISOString(),
      level: status >= 500 ? "error" : "info",
      id,
      method: context.req.method,
      route,
      status,
      milliseconds: Math.round(10 * milliseconds) / 10,
      ...noted,
    });
  };
}

/** Asks for `Authorization: Bearer TOKEN`. Digests are compared, in a time that tells nothing of where they differ. */
export function bearer(token: string, open: ReadonlySet<string>): MiddlewareHandler {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  const expected = digest(token);
  return async (context, next) => {
    if (open.has(context.req.path)) return next();
    const given = /^bearer +(.+)$/i.exec(context.req.header("authorization") ?? "")?.[1] ?? "";
    if (timingSafeEqual(digest(given), expected)) return next();
    throw new ApiError(
      401,
      "invalid_api_key",
      "expected the header Authorization: Bearer TOKEN with the server's token",
    );
  };
}

/** Refuses bodies above a size, whether they tell it or not. */
export function limitedBody(maxBytes: number): MiddlewareHandler {
  return bodyLimit({
    maxSize: maxBytes,
    onError: (context) => {
      context.header("Connection", "close"); // The rest of the body is not read.
      return errorResponse(
        context,
        new ApiError(413, "request_too_large", `expected at most ${maxBytes} bytes in one request, got more`),
      );
    },
  });
}

/**
 * A request's JSON body.
 *
 * @throws ApiError 400, 413, 415
 */
export async function jsonBody<T extends z.ZodType>(context: Context, schema: T): Promise<z.output<T>> {
  const type = (context.req.header("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  if (type !== "application/json") {
    throw new ApiError(415, "unsupported_media_type", "expected a body of Content-Type: application/json");
  }
  let value: unknown;
  try {
    value = JSON.parse(await context.req.text());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ApiError(400, "invalid_json", "expected a body that is JSON"); // Its message would quote the body.
  }
  return checked(schema, value);
}

/** @throws ApiError 400 that names the first wrong part */
export function checked<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const param = issue!.path.join(".");
  const message = param === "" ? issue!.message : `${param}: ${issue!.message}`;
  throw new ApiError(400, "invalid_request", message, param === "" ? {} : { param });
}

/**
 * Runs work that ends with the client's connection, or after a while.
 *
 * @throws ApiError `timeout` (503)
 */
export async function timed<T>(
  context: Context,
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const client = context.req.raw.signal;
  const leave = (): void => controller.abort(new ApiError(503, "client_gone", "the client has gone"));
  client.addEventListener("abort", leave, { once: true });
  const late = new ApiError(503, "timeout", `not answered within ${milliseconds / 1000} seconds; try again later`, {
    retryAfterSeconds: 1,
  });
  const timer = setTimeout(() => controller.abort(late), milliseconds);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    client.removeEventListener("abort", leave);
  }
}
