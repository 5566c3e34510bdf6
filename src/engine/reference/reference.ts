import { UserError, type Tensor } from "../../base/index.js";
import type { Graph } from "../../graph/index.js";
import {
  checkBatch,
  checkNames,
  checkOptions,
  checkState,
  checkWholeState,
  findProgram,
  signatureOf,
  stateTypes,
} from "../_checks.js";
import type { Engine, EngineOptions, EngineSession, Tensors } from "../engine.js";
import { evaluate } from "./evaluate.js";

/**
 * The engine that other engines are held against: pure TypeScript, one plain loop per op, float64 inside. Slow: for
 * tests and for small graphs. It runs on the caller's thread and knows the provider `cpu` only.
 */
export const referenceEngine: Engine = {
  name: "reference",
  // Async, so that errors of arguments are rejections as in every other engine.
  async open(
    programs: Readonly<Record<string, Graph>>,
    state: Tensors,
    options: EngineOptions = {},
  ): Promise<EngineSession> {
    const types = stateTypes(programs);
    checkOptions(options);
    const { provider = "cpu" } = options;
    if (provider !== "cpu") {
      throw new UserError("engine.provider", `provider: expected one of cpu, got "${provider}"`, {
        fix: "The reference engine runs on the CPU only",
      });
    }
    checkWholeState(types, state);
    return Promise.resolve(new ReferenceSession(programs, types, state));
  },
};

class ReferenceSession implements EngineSession {
  readonly programs;
  readonly #state: Map<string, Tensor>;
  #closed = false;

  constructor(
    private readonly graphs: Readonly<Record<string, Graph>>,
    private readonly types: ReturnType<typeof stateTypes>,
    state: Tensors,
  ) {
    this.programs = Object.fromEntries(Object.entries(graphs).map(([name, graph]) => [name, signatureOf(graph)]));
    this.#state = new Map(Object.entries(state).map(([name, value]) => [name, copy(value)]));
  }

  async run(program: string, batch: Tensors): Promise<Record<string, Tensor>> {
    const symbols = checkBatch(program, findProgram(this.programs, program), batch);
    this.#checkOpen();
    const { outputs, updates } = evaluate(
      this.graphs[program]!,
      { ...Object.fromEntries(this.#state), ...batch },
      symbols,
    );
    for (const [name, value] of Object.entries(updates)) this.#state.set(name, value);
    return Promise.resolve(outputs);
  }

  async read(names: readonly string[] = [...this.types.keys()]): Promise<Record<string, Tensor>> {
    checkNames(this.types, names);
    this.#checkOpen();
    return Promise.resolve(Object.fromEntries(names.map((name) => [name, copy(this.#state.get(name)!)])));
  }

  async write(state: Tensors): Promise<void> {
    checkState("write", this.types, state);
    this.#checkOpen();
    for (const [name, value] of Object.entries(state)) this.#state.set(name, copy(value));
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#state.clear();
    return Promise.resolve();
  }

  #checkOpen(): void {
    if (this.#closed) throw new UserError("engine.closed", "engine: expected an open session, got a closed one");
  }
}

function copy(value: Tensor): Tensor {
  return { ...value, data: value.data.slice() } as Tensor;
}
