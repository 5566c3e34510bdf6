import type { Server, ServerOptions } from "node:http";
import { serve as listen } from "@hono/node-server";
import type { Context, Hono, MiddlewareHandler } from "hono";
import { errnoOf, UserError } from "../base/index.js";

/** Where a server listens. */
export interface Address {
  /** Default 127.0.0.1: only this machine. */
  readonly host?: string;
  /** 0 takes any free one. */
  readonly port: number;
}

/** A server that answers. */
export interface RunningServer {
  readonly url: string;
  /** No new connections; what is being answered is finished, at most for `graceSeconds`. */
  close(graceSeconds?: number): Promise<void>;
}

/** Headers that keep a page to itself: no other origin, no frames, no guessing of types. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; img-src data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
};

/**
 * Refuses requests that name another host than the one listened on: a page from elsewhere that points its own name at
 * this machine (DNS rebinding) would read what is not meant for it.
 *
 * @param names host names that are answered, without port
 */
export function knownHosts(names: readonly string[]): MiddlewareHandler {
  const bracketed = names.map((name) => (name.includes(":") && !name.startsWith("[") ? `[${name}]` : name));
  const known = new Set(["localhost", "127.0.0.1", "[::1]", ...bracketed.map((name) => name.toLowerCase())]);
  return async (context, next) => {
    const named = (context.req.header("host") ?? "").toLowerCase();
    const host = named.replace(/:\d+$/, "");
    if (!known.has(host)) return refuse(context, `expected a request to ${[...known].join(", ")}, got ${host}`);
    // A browser tells where a page came from; only pages of this very server may ask.
    const origin = context.req.header("origin")?.toLowerCase();
    if (origin === undefined || origin === `http://${named}` || origin === `https://${named}`) return next();
    return refuse(context, `expected a request from a page of this server, got one from ${origin}`);
  };
}

function refuse(context: Context, message: string): Response {
  return context.json({ error: { message, type: "invalid_request_error", param: null, code: "forbidden" } }, 403);
}

/**
 * Listens until closed.
 *
 * @throws UserError `server.port` where the address is taken or not allowed
 */
export async function startServer(
  app: Hono,
  { host = "127.0.0.1", port }: Address,
  serverOptions: ServerOptions = {},
): Promise<RunningServer> {
  const server = await new Promise<Server>((resolve, reject) => {
    const starting = listen({ fetch: app.fetch, hostname: host, port, serverOptions }) as Server;
    starting.once("listening", () => resolve(starting));
    starting.once("error", (error) => reject(addressError(error, host, port)));
  });
  const address = server.address();
  const actual = typeof address === "object" && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${actual}/`,
    close: (graceSeconds = 5) =>
      new Promise((resolve) => {
        const force = setTimeout(() => server.closeAllConnections(), 1000 * graceSeconds);
        // A connection that is kept alive turns idle when its answer is out, which may be after this call.
        const idle = setInterval(() => server.closeIdleConnections(), 50);
        server.close(() => {
          clearTimeout(force);
          clearInterval(idle);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

function addressError(error: unknown, host: string, port: number): unknown {
  const code = errnoOf(error);
  if (code === undefined) return error;
  const reason = code === "EADDRINUSE" ? "it is taken" : code;
  return new UserError("server.port", `expected to listen on ${host}:${port}, but ${reason}`, {
    fix: code === "EADDRINUSE" ? "Choose another --port, or 0 for any free one" : "Choose another --host or --port",
    cause: error,
  });
}
