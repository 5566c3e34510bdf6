import type { Tensor } from "../base/index.js";
import type { Graph, TensorType } from "../graph/index.js";

/** How a session runs. */
export interface EngineOptions {
  /** Threads for one run. Default: all cores. */
  readonly threads?: number;
  /** Where it runs, in ONNX Runtime's words: `cpu`, `webgpu`, `cuda`, `coreml`, ... Default `cpu`. */
  readonly provider?: string;
}

/** Named tensors. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** What a program takes and gives. */
export interface ProgramSignature {
  /** What has to arrive with every run. A dimension is a number, or a symbol that every tensor of a run agrees on. */
  readonly inputs: ReadonlyMap<string, TensorType>;
  /** What a run returns. */
  readonly outputs: ReadonlyMap<string, TensorType>;
}

/**
 * Runs graphs. An engine separates *resident state* (parameters, moments, counters: it keeps them where it likes) from
 * *batch in, metrics out*.
 */
export interface Engine {
  readonly name: string;
  /**
   * Makes programs ready to run over one resident state.
   *
   * @param programs by name; each uses the part of the state that it declares, under the same names and types
   * @param state every tensor that some program declares
   * @throws UserError `engine.state` (missing, superfluous, wrong type), `engine.provider`, `engine.threads`
   */
  open(programs: Readonly<Record<string, Graph>>, state: Tensors, options?: EngineOptions): Promise<EngineSession>;
}

/**
 * Programs over one state. Calls may overlap; they are carried out one after the other, in the order of the calls.
 * Tensors that go in are copied, tensors that come out belong to the caller.
 */
export interface EngineSession {
  readonly programs: Readonly<Record<string, ProgramSignature>>;
  /**
   * Runs a program; its updates are the state of whatever runs next.
   *
   * @throws UserError `engine.program`, `engine.batch` (names the program and the tensor), `engine.run`, `engine.closed`
   */
  run(program: string, batch: Tensors): Promise<Record<string, Tensor>>;
  /** The named tensors of the state (default: all) as they are after the runs asked for so far. */
  read(names?: readonly string[]): Promise<Record<string, Tensor>>;
  /** Replaces tensors of the state; the others stay. */
  write(state: Tensors): Promise<void>;
  /** Ends the session and frees what it holds; calls still waiting are rejected. Safe to call again. */
  close(): Promise<void>;
}
