import { UserError, messageOf, type Tensor } from "../../base/index.js";
import type { TensorType } from "../../graph/index.js";
import type { Tensors } from "../engine.js";

/** One program for the worker: an ONNX model whose inputs are batch and state, whose outputs are results and updates. */
export interface ProgramModel {
  readonly name: string;
  readonly model: Uint8Array;
  readonly states: readonly string[];
  readonly outputs: readonly string[];
  /** State name -> name of the ONNX output that is its next value. */
  readonly updates: Readonly<Record<string, string>>;
}

/** How ONNX Runtime is set up. */
export interface RuntimeOptions {
  readonly threads: number;
  readonly provider: string;
}

/** What an ONNX file takes and gives. */
export interface FileSignature {
  readonly inputs: Readonly<Record<string, TensorType>>;
  readonly outputs: Readonly<Record<string, TensorType>>;
}

/** The calls that the worker answers, with their arguments and results. */
export interface Calls {
  openPrograms: {
    args: [programs: readonly ProgramModel[], state: Tensors, options: RuntimeOptions];
    result: undefined;
  };
  openFile: { args: [file: string | Uint8Array, options: RuntimeOptions]; result: FileSignature };
  run: { args: [program: string, batch: Tensors]; result: Record<string, Tensor> };
  read: { args: [names: readonly string[]]; result: Record<string, Tensor> };
  write: { args: [state: Tensors]; result: undefined };
  close: { args: []; result: undefined };
}

export type CallName = keyof Calls;
export type Request = {
  [K in CallName]: { readonly id: number; readonly call: K; readonly args: Calls[K]["args"] };
}[CallName];
export type Reply =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly failure: Failure };

/** An error as plain data: classes do not survive `postMessage`. */
export interface Failure {
  readonly message: string;
  readonly stack: string | undefined;
  readonly user: { readonly code: string; readonly fix: string | undefined } | undefined;
}

export function toFailure(error: unknown): Failure {
  const user = error instanceof UserError ? { code: error.code, fix: error.fix } : undefined;
  return { message: messageOf(error), stack: error instanceof Error ? error.stack : undefined, user };
}

export function fromFailure({ message, stack, user }: Failure): Error {
  if (user !== undefined) return new UserError(user.code, message, user.fix === undefined ? {} : { fix: user.fix });
  return new Error(message, { cause: stack });
}

/**
 * Tensors with buffers of their own, as `postMessage` copies whole buffers: a view of a few numbers into a large buffer
 * would take the large one along.
 */
export function compact(values: Tensors): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const own = value.data.byteLength === value.data.buffer.byteLength;
      return [name, own ? value : ({ ...value, data: value.data.slice() } as Tensor)];
    }),
  );
}

/** The buffers of tensors that may be handed over instead of copied. */
export function buffersOf(values: Tensors): ArrayBuffer[] {
  return [...new Set(Object.values(values).map((value) => value.data.buffer as ArrayBuffer))];
}
