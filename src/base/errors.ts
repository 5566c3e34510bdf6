/**
 * The one error class that callers are meant to see.
 *
 * `message` reads `where: expected X, got Y`; `fix` says what to do about it. Only the edges (`cli/`, `server/`)
 * turn a `UserError` into an exit code or an HTTP status; every other room throws it and goes on with nothing lost.
 */
export class UserError extends Error {
  override readonly name = "UserError";
  /** Stable, dotted, machine-readable: `config.unknown-key`, `model.checksum`, ... */
  readonly code: string;
  /** One sentence: what the reader should do. */
  readonly fix: string | undefined;

  constructor(code: string, message: string, options: { fix?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fix = options.fix;
  }

  /** The single line that an edge prints. */
  toLine(): string {
    return this.fix === undefined ? this.message : `${this.message}. ${this.fix}`;
  }
}

/** A bug of ours, never the caller's fault: the message is prefixed `internal:`. */
export function internalError(message: string, cause?: unknown): Error {
  return new Error(`internal: ${message}`, cause === undefined ? undefined : { cause });
}

/** Node's `error.code` (`ENOENT`, `ENOSPC`, ...) if there is one. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
