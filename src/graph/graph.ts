import { UserError, tensor as makeTensor, type DType, type Tensor } from "../base/index.js";
import { captureLocation } from "./_location.js";
import { canonical, sameShape, showShape, type Dim, type Shape } from "./dims.js";
import type { Inputs, OpName, Outputs, Params } from "./ops/signatures.js";
import { printGraph } from "./_print.js";

/** What a shape rule sees and gives. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Where a value comes from. */
export type Origin =
  | { readonly kind: "state"; readonly name: string }
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "constant"; readonly tensor: Tensor }
  | { readonly kind: "node"; readonly node: Node; readonly index: number };

/** One tensor of a graph, known by type only. */
export interface Value extends TensorType {
  readonly graph: Graph;
  /** Counts up in order of creation, unique in its graph. */
  readonly id: number;
  readonly origin: Origin;
}

/** One application of an op. */
export interface NodeOf<K extends OpName> {
  readonly id: number;
  readonly op: K;
  readonly params: Params<K>;
  readonly inputs: Inputs<K, Value>;
  readonly outputs: Outputs<K, Value>;
  /** The scopes open when it was built, joined by `/`; empty at the top. */
  readonly scope: string;
  /** The user's `file:line`. */
  readonly location: () => string;
}

/** Any node; `node.op` tells the params apart. */
export type Node = { [K in OpName]: NodeOf<K> }[OpName];

/** Output types from input types; calls `expect` (or throws `ShapeError`) where they do not fit. */
export type ShapeRule<K extends OpName> = (inputs: Inputs<K, TensorType>, params: Params<K>) => Outputs<K, TensorType>;

/** A shape rule's complaint; `Graph.emit` puts the op in front and the user's file:line behind. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
}

/** `expect(fits, "expected scale [256], got [512]")`. */
export function expect(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new ShapeError(typeof message === "string" ? message : message());
}

/** One call of `gradients`, for engines that would rather use their own autograd. */
export interface Differentiation {
  readonly loss: Value;
  readonly wrt: readonly Value[];
  /** d loss / d wrt, one per `wrt`. */
  readonly results: readonly Value[];
  /** The gradient that the loss itself had; left out, it is 1. */
  readonly seed?: Value;
  /** Ids of the nodes that the call appended: from the first up to, not including, the second. Unknown in copies. */
  readonly nodes?: readonly [from: number, to: number];
}

/**
 * Nodes that an engine may compute as one op of its own: `outputs` from `inputs`, all other nodes in between being
 * nobody else's business. Engines that have no such op run the nodes.
 */
export interface Fusion {
  readonly op: "AdamW" | "GlobalNorm";
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, number>>;
}

/**
 * A program: named inputs (they arrive with every batch), named state (resident tensors), ops, named outputs (what a
 * run returns) and updates (what becomes of the state after a run).
 */
export class Graph {
  readonly name: string;
  readonly inputs = new Map<string, Value>();
  readonly states = new Map<string, Value>();
  readonly outputs = new Map<string, Value>();
  /** State name -> its next value. */
  readonly updates = new Map<string, Value>();
  /** In topological order: nothing is used before it is made. */
  readonly nodes: Node[] = [];
  readonly differentiations: Differentiation[] = [];
  readonly fusions: Fusion[] = [];
  #nextValue = 0;
  #scopes: string[] = [];
  #location: (() => string) | undefined;
  #scalars = new Map<string, Value>();

  constructor(name: string) {
    this.name = name;
  }

  /** A resident tensor: parameter, moment, counter. Engines keep it between runs. */
  state(name: string, dtype: DType, shape: Shape): Value {
    return this.#declare(this.states, "state", name, dtype, shape);
  }

  /** A tensor that arrives with every run. */
  input(name: string, dtype: DType, shape: Shape): Value {
    return this.#declare(this.inputs, "input", name, dtype, shape);
  }

  /** A constant; a bare number is a scalar of `dtype` (float32). Equal scalars are one value. */
  constant(value: Tensor | number, dtype: DType = "float32"): Value {
    if (typeof value !== "number") {
      return this.#value({ dtype: value.dtype, shape: value.dims }, { kind: "constant", tensor: value });
    }
    const key = `${dtype} ${Object.is(value, -0) ? "-0" : value}`;
    const known = this.#scalars.get(key);
    if (known !== undefined) return known;
    const made = this.#value({ dtype, shape: [] }, { kind: "constant", tensor: scalar(value, dtype) });
    this.#scalars.set(key, made);
    return made;
  }

  /** Names a value that a run returns. */
  output(name: string, value: Value): void {
    this.#own("output", value);
    if (this.outputs.has(name))
      throw new UserError("graph.name", `graph ${this.name}: output "${name}" is named twice`);
    this.outputs.set(name, value);
  }

  /** After a run the state has this value. Its type must be the state's. */
  update(stateName: string, value: Value): void {
    this.#own("update", value);
    const state = this.states.get(stateName);
    if (state === undefined) {
      throw new UserError("graph.name", `update: expected a state of graph ${this.name}, got "${stateName}"`);
    }
    if (state.dtype !== value.dtype || !sameShape(state.shape, value.shape)) {
      throw new UserError(
        "graph.shape",
        `update: expected ${showType(state)} for "${stateName}", got ${showType(value)} (at ${captureLocation()()})`,
      );
    }
    if (this.updates.has(stateName)) {
      throw new UserError("graph.name", `graph ${this.name}: state "${stateName}" is updated twice`);
    }
    this.updates.set(stateName, value);
  }

  /** Nodes built inside carry the scope in their names: `scope("h.0", () => scope("attn", ...))` is `h.0/attn/...`. */
  scope<T>(name: string, build: () => T): T {
    this.#scopes.push(name);
    try {
      return build();
    } finally {
      this.#scopes.pop();
    }
  }

  /** The stable printed form; see `_print.ts`. */
  toString(): string {
    return printGraph(this);
  }

  /**
   * Appends a node. The functions in `ops/` are the way to call this; the rule comes along, so that this file does not
   * know the ops.
   */
  emit<K extends OpName>(op: K, params: Params<K>, inputs: Inputs<K, Value>, rule: ShapeRule<K>): Outputs<K, Value> {
    const location = this.#location ?? captureLocation();
    for (const input of inputs) {
      if (input.graph !== this) {
        throw new UserError(
          "graph.mixed",
          `${op}: expected values of graph "${this.name}", got one of "${input.graph.name}" (at ${location()})`,
        );
      }
    }
    let types: Outputs<K, TensorType>;
    try {
      types = rule(inputs as unknown as Inputs<K, TensorType>, params);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      throw new UserError("graph.shape", `${op}: ${error.message} (at ${location()})`);
    }
    return this.append(op, params, inputs, types, { scope: this.#scopes.join("/"), location });
  }

  /** Appends a node whose output types are known already: for transforms that copy nodes. */
  append<K extends OpName>(
    op: K,
    params: Params<K>,
    inputs: Inputs<K, Value>,
    types: readonly TensorType[],
    place: { readonly scope: string; readonly location: () => string },
  ): Outputs<K, Value> {
    const outputs: Value[] = [];
    const node = { id: this.nodes.length, op, params, inputs, outputs, ...place } as unknown as Node;
    this.nodes.push(node);
    types.forEach((type, index) => outputs.push(this.#value(type, { kind: "node", node, index })));
    return outputs as unknown as Outputs<K, Value>;
  }

  /** While `build` runs, new nodes belong to this node's place: gradients point at the line of the forward op. */
  onBehalfOf<T>(node: Node, scope: string, build: () => T): T {
    const [location, scopes] = [this.#location, this.#scopes];
    this.#location = node.location;
    this.#scopes = [scope, node.scope].filter((part) => part !== "");
    try {
      return build();
    } finally {
      this.#location = location;
      this.#scopes = scopes;
    }
  }

  #declare(table: Map<string, Value>, kind: "state" | "input", name: string, dtype: DType, shape: Shape): Value {
    if (this.inputs.has(name) || this.states.has(name)) {
      throw new UserError("graph.name", `graph ${this.name}: ${kind} "${name}" is declared twice`);
    }
    for (const dim of shape) {
      if (typeof dim === "number" && (!Number.isInteger(dim) || dim < 0)) {
        throw new UserError("graph.shape", `${kind} ${name}: expected whole dimensions, got ${showShape(shape)}`);
      }
    }
    const value = this.#value({ dtype, shape: shape.map((dim): Dim => canonical(dim)) }, { kind, name });
    table.set(name, value);
    return value;
  }

  #value(type: TensorType, origin: Origin): Value {
    const value: Value = { graph: this, id: this.#nextValue++, dtype: type.dtype, shape: type.shape, origin };
    // Printing a value (in a debugger, in a failed test) must not print its whole graph.
    Object.defineProperty(value, "graph", { value: this, enumerable: false });
    return value;
  }

  #own(where: string, value: Value): void {
    if (value.graph !== this) {
      throw new UserError(
        "graph.mixed",
        `${where}: expected a value of graph "${this.name}", got one of "${value.graph.name}"`,
      );
    }
  }
}

/** `float32[B, T, 256]`. */
export function showType(type: TensorType): string {
  return `${type.dtype}${showShape(type.shape)}`;
}

/** A scalar tensor; int64 from whole numbers, bool from zero or not. */
export function scalar(value: number, dtype: DType): Tensor {
  switch (dtype) {
    case "float32":
      return makeTensor(dtype, [], Float32Array.of(value));
    case "int32":
      return makeTensor(dtype, [], Int32Array.of(value));
    case "int64":
      return makeTensor(dtype, [], BigInt64Array.of(BigInt(value)));
    case "bool":
      return makeTensor(dtype, [], Uint8Array.of(value === 0 ? 0 : 1));
    case "uint8":
      return makeTensor(dtype, [], Uint8Array.of(value));
    case "float16":
      throw new RangeError("constant: float16 scalars are made by casting a float32 one");
  }
}
