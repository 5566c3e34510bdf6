import type { Tensor } from "../../base/index.js";
import type { TensorType } from "../../graph/index.js";
import { checkBatch, checkNames, checkState, findProgram } from "../_checks.js";
import type { EngineSession, ProgramSignature, Tensors } from "../engine.js";
import type { Channel } from "./_channel.js";
import { compact } from "./_protocol.js";

/** A session whose work is done by a worker thread. Everything is checked on this side, before it is sent. */
export class OnnxSession implements EngineSession {
  readonly #channel: Channel;
  readonly #types: ReadonlyMap<string, TensorType>;
  readonly programs: Readonly<Record<string, ProgramSignature>>;

  constructor(
    channel: Channel,
    programs: Readonly<Record<string, ProgramSignature>>,
    types: ReadonlyMap<string, TensorType>,
  ) {
    this.#channel = channel;
    this.#types = types;
    this.programs = programs;
  }

  async run(program: string, batch: Tensors): Promise<Record<string, Tensor>> {
    checkBatch(program, findProgram(this.programs, program), batch);
    return this.#channel.call("run", [program, compact(batch)]);
  }

  async read(names: readonly string[] = [...this.#types.keys()]): Promise<Record<string, Tensor>> {
    checkNames(this.#types, names);
    return this.#channel.call("read", [names]);
  }

  async write(state: Tensors): Promise<void> {
    checkState("write", this.#types, state);
    await this.#channel.call("write", [compact(state)]);
  }

  close(): Promise<void> {
    return this.#channel.close();
  }
}
