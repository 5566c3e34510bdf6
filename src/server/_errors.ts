import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { UserError } from "../base/index.js";

/** A refusal with its HTTP status. The message says what to do. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: ContentfulStatusCode,
    /** Stable and machine-readable, e.g. `context_length_exceeded`. */
    readonly code: string,
    message: string,
    readonly details: { readonly param?: string; readonly retryAfterSeconds?: number } = {},
  ) {
    super(message);
  }
}

/** What anything thrown means to a client; a mistake of ours tells nothing of itself. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof UserError) {
    const status = error.code === "search.no-such-place" ? 404 : /^(search|embed)\./.test(error.code) ? 400 : 503;
    return new ApiError(status, error.code, error.toLine());
  }
  if (error instanceof HTTPException) return new ApiError(error.status, "bad_request", error.message);
  return new ApiError(500, "internal_error", "an error of the server's own; its log tells which");
}

/** The body of a refusal, in the shape that OpenAI's clients read. */
export function errorBody({ status, code, message, details }: ApiError): Record<string, unknown> {
  const type = status >= 500 ? "server_error" : status === 429 ? "rate_limit_error" : "invalid_request_error";
  return { error: { message, type, param: details.param ?? null, code } };
}

/** A refusal as a response. */
export function errorResponse(context: Context, error: ApiError): Response {
  const { retryAfterSeconds } = error.details;
  if (retryAfterSeconds !== undefined) context.header("Retry-After", String(Math.max(1, Math.ceil(retryAfterSeconds))));
  if (error.status === 401) context.header("WWW-Authenticate", 'Bearer realm="lodestone"');
  return context.json(errorBody(error), error.status);
}
