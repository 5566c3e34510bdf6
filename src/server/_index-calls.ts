import { UserError, internalError, messageOf, type ProgressEvent } from "../base/index.js";
import type { Answer, IndexStatus, OpenIndexOptions, SearchOptions } from "../search/index.js";

/** What a thread is asked about one of its indexes. Options carry no signal: leaving is a message of its own. */
export interface IndexCalls {
  open: { args: [root: string, options: OpenIndexOptions]; result: { readonly hasFull: boolean } };
  warm: { args: []; result: null };
  search: { args: [query: string, options: SearchOptions]; result: Answer };
  related: { args: [path: string, line: number, options: SearchOptions]; result: Answer };
  refresh: { args: []; result: IndexStatus };
  /** All missing vectors of the full tier, once. */
  refine: { args: []; result: null };
  status: { args: []; result: IndexStatus };
  close: { args: []; result: null };
}
export type IndexCall = keyof IndexCalls;

export type IndexRequest =
  | { readonly id: number; readonly index: number; readonly call: IndexCall; readonly args: readonly unknown[] }
  | { readonly leave: number };

export type IndexReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: Failure }
  | { readonly index: number; readonly event: ProgressEvent };

/** An error on its way between threads, which keep no classes. */
export type Failure =
  | { readonly code: string; readonly message: string; readonly fix: string | undefined }
  | { readonly message: string; readonly stack: string | undefined };

export function failureOf(error: unknown): Failure {
  if (error instanceof UserError) return { code: error.code, message: error.message, fix: error.fix };
  return { message: messageOf(error), stack: error instanceof Error ? error.stack : undefined };
}

export function errorOf(failure: Failure): Error {
  if ("code" in failure) {
    return new UserError(failure.code, failure.message, failure.fix === undefined ? {} : { fix: failure.fix });
  }
  const error = internalError(failure.message);
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}
