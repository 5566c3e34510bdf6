import type { Readable, Writable } from "node:stream";
import type { Address, RunningServer } from "./_local.js";
import type { RepositoryOptions } from "./_repositories.js";

export interface McpOptions extends RepositoryOptions {
  /** Folders that may be searched. */
  readonly roots: readonly string[];
  readonly version: string;
}

/** Where messages come from and go to. */
export interface McpStreams {
  readonly input: Readable;
  readonly output: Writable;
  readonly signal: AbortSignal;
}

export interface McpHttpOptions extends McpOptions {
  /** What clients must send as a bearer token. */
  readonly token?: string;
}

/**
 * Speaks the Model Context Protocol over two streams until the input ends or the signal is aborted.
 *
 * @throws UserError as `openIndex`
 */
export async function serveMcp(options: McpOptions, streams: McpStreams): Promise<void> {
  const { serveMcp: serve } = await import("./_mcp.js"); // The protocol's library is loaded by those who speak it only.
  return serve(options, streams);
}

/**
 * Speaks the Model Context Protocol over streamable HTTP at `/mcp` until closed. Each request stands for itself: there
 * are no sessions to lose.
 *
 * @throws UserError `server.port`, those of `openIndex`
 */
export async function startMcp(options: McpHttpOptions, address: Address): Promise<RunningServer> {
  const { startMcp: start } = await import("./_mcp.js");
  return start(options, address);
}
