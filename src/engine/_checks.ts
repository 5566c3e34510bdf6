import { UserError, type Tensor } from "../base/index.js";
import { evaluateDim, sameShape, showShape, showType, type Graph, type TensorType } from "../graph/index.js";
import type { EngineOptions, ProgramSignature, Tensors } from "./engine.js";

const SYMBOL = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `float32[16, 256]`. */
export function showTensor(value: Tensor): string {
  return showType({ dtype: value.dtype, shape: value.dims });
}

/** What a graph takes and gives. */
export function signatureOf(graph: Graph): ProgramSignature {
  return { inputs: new Map(graph.inputs), outputs: new Map(graph.outputs) };
}

/** The state that programs declare together; two programs must mean the same tensor by the same name. */
export function stateTypes(programs: Readonly<Record<string, Graph>>): Map<string, TensorType> {
  const types = new Map<string, TensorType>();
  for (const [program, graph] of Object.entries(programs)) {
    for (const [name, type] of graph.states) {
      const known = types.get(name);
      if (known !== undefined && !(known.dtype === type.dtype && sameShape(known.shape, type.shape))) {
        throw new UserError(
          "engine.state",
          `state "${name}": expected ${showType(known)} as in the programs before, got ${showType(type)} in program "${program}"`,
        );
      }
      types.set(name, type);
    }
  }
  return types;
}

/** Holds a complete state against its types. */
export function checkWholeState(types: ReadonlyMap<string, TensorType>, state: Tensors): void {
  const missing = [...types.keys()].filter((name) => state[name] === undefined);
  if (missing.length > 0) {
    throw new UserError(
      "engine.state",
      `open: expected state ${listed([...types.keys()])}, got none for ${listed(missing)}`,
    );
  }
  checkState("open", types, state);
}

/** Holds some tensors of the state against their types. */
export function checkState(where: string, types: ReadonlyMap<string, TensorType>, state: Tensors): void {
  for (const [name, value] of Object.entries(state)) {
    const type = types.get(name);
    if (type === undefined) {
      throw new UserError("engine.state", `${where}: expected state ${listed([...types.keys()])}, got "${name}"`);
    }
    if (type.dtype !== value.dtype || !sameShape(type.shape, value.dims)) {
      throw new UserError(
        "engine.state",
        `${where}: expected ${showType(type)} for state "${name}", got ${showTensor(value)}`,
      );
    }
  }
}

/** Refuses names that are not in the state. */
export function checkNames(types: ReadonlyMap<string, TensorType>, names: readonly string[]): void {
  for (const name of names) {
    if (!types.has(name)) {
      throw new UserError("engine.state", `read: expected state ${listed([...types.keys()])}, got "${name}"`);
    }
  }
}

/** The program of that name. */
export function findProgram(programs: Readonly<Record<string, ProgramSignature>>, program: string): ProgramSignature {
  const found = Object.hasOwn(programs, program) ? programs[program] : undefined;
  if (found === undefined) {
    throw new UserError(
      "engine.program",
      `run: expected a program of ${listed(Object.keys(programs))}, got "${program}"`,
    );
  }
  return found;
}

/**
 * Holds a batch against what the program takes, and gives the numbers that its symbolic dimensions have.
 *
 * @throws UserError `engine.batch`
 */
export function checkBatch(program: string, { inputs }: ProgramSignature, batch: Tensors): Map<string, number> {
  const symbols = new Map<string, number>();
  const fail = (message: string): UserError => new UserError("engine.batch", `program "${program}": ${message}`);
  for (const name of Object.keys(batch)) {
    if (!inputs.has(name)) throw fail(`expected inputs ${listed([...inputs.keys()])}, got "${name}"`);
  }
  for (const [name, type] of inputs) {
    const value = batch[name];
    if (value === undefined) throw fail(`expected input "${name}" ${showType(type)}, got none`);
    const wrong = (why = ""): UserError =>
      fail(`expected ${showType(type)} for input "${name}"${why}, got ${showTensor(value)}`);
    if (value.dtype !== type.dtype || value.dims.length !== type.shape.length) throw wrong();
    const elements = value.dims.reduce((product, dim) => product * dim, 1);
    if (elements !== value.data.length) throw wrong(` with ${elements} elements, but ${value.data.length} came`);
    type.shape.forEach((dim, axis) => {
      const size = value.dims[axis]!;
      if (typeof dim === "string" && SYMBOL.test(dim) && !symbols.has(dim)) symbols.set(dim, size);
    });
  }
  // Only now are all symbols known: an input may use a sum or product of symbols that a later one declares.
  for (const [name, type] of inputs) {
    const value = batch[name]!;
    const wanted = type.shape.map((dim, axis) => {
      // A dimension that no input declares on its own is free.
      const free = typeof dim === "string" && unknownSymbol(dim, symbols);
      return free ? value.dims[axis]! : evaluateDim(dim, symbols);
    });
    if (!sameShape(wanted, value.dims)) {
      const where = typesDiffer(type, wanted) ? ` (here ${showShape(wanted)})` : "";
      throw fail(`expected ${showType(type)}${where} for input "${name}", got ${showTensor(value)}`);
    }
  }
  return symbols;
}

function unknownSymbol(dim: string, symbols: ReadonlyMap<string, number>): boolean {
  try {
    evaluateDim(dim, symbols);
    return false;
  } catch {
    return true;
  }
}

function typesDiffer(type: TensorType, wanted: readonly number[]): boolean {
  return !sameShape(type.shape, wanted);
}

/** Refuses a number of threads that is none. */
export function checkOptions({ threads }: EngineOptions): void {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new UserError("engine.threads", `threads: expected a whole number from 1, got ${threads}`);
  }
}

/** Names for a message: the first few of many. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => `"${name}"`);
  if (names.length > shown.length) shown.push(`and ${names.length - shown.length} more`);
  return shown.length === 0 ? "(none)" : shown.join(", ");
}
