import { int32, internalError, toBytes, UserError, type DType, type Tensor } from "../../base/index.js";
import { termsOf, type Dim, type Shape } from "../dims.js";
import type { Node, Value } from "../graph.js";

/** Attributes of an ONNX node: whole numbers are written as INT, `{ float }` as FLOAT. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

export interface OnnxNode {
  readonly opType: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/**
 * `standard` uses ai.onnx only, for models that travel; `onnxruntime` may use the com.microsoft ops that its CPU build
 * has, and node orders measured to be fast there; `torch` is for the PyTorch engine (engines/torch), which takes
 * gradients by its own autograd and has ops of our own for attention, dropout, losses and AdamW.
 */
export type OnnxTarget = "standard" | "onnxruntime" | "torch";

export const MICROSOFT = "com.microsoft";
/** Our own domain, for ops between processes. */
export const LODESTONE = "lodestone";

/** Collects ONNX nodes while the graph is lowered; equal nodes are made once. */
export class Emitter {
  readonly target: OnnxTarget;
  readonly nodes: OnnxNode[] = [];
  readonly initialisers = new Map<string, Tensor>();
  readonly #made = new Map<string, readonly string[]>();
  /** A tensor and an axis that have the size, by dimension. */
  readonly #carriers = new Map<string, { readonly name: string; readonly axis: number }>();
  readonly #counts = new Map<string, number>();
  #prefix = "";
  #location: () => string = () => "unknown";

  constructor(target: OnnxTarget) {
    this.target = target;
  }

  /** Which node of ours the next ones come from: their names start with its scope, `h.0/attn/matmul`. */
  enter({ scope, op, location }: Pick<Node, "scope" | "op" | "location">): void {
    this.#prefix = scope === "" ? op : `${scope}/${op}`;
    this.#location = location;
  }

  /** Notes which dimensions a tensor can tell at run time; the first to tell one is asked. */
  carry(name: string, shape: Shape): void {
    shape.forEach((dim, axis) => {
      if (typeof dim === "string" && !this.#carriers.has(dim)) this.#carriers.set(dim, { name, axis });
    });
  }

  /** A node with one output, whose name is returned. */
  op(opType: string, inputs: readonly string[], attributes: OnnxNode["attributes"] = {}, domain = ""): string {
    return this.ops(opType, inputs, 1, attributes, domain)[0]!;
  }

  /** A node with several outputs. */
  ops(
    opType: string,
    inputs: readonly string[],
    outputCount: number,
    attributes: OnnxNode["attributes"] = {},
    domain = "",
  ): readonly string[] {
    const key = JSON.stringify([domain, opType, inputs, attributes, outputCount]);
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const count = this.#counts.get(this.#prefix) ?? 0;
    this.#counts.set(this.#prefix, count + 1);
    const name = `${this.#prefix}_${count}_${opType}`;
    const outputs = outputCount === 1 ? [name] : Array.from({ length: outputCount }, (_, index) => `${name}:${index}`);
    this.nodes.push({ opType, domain, name, inputs, outputs, attributes });
    this.#made.set(key, outputs);
    return outputs;
  }

  /** A constant tensor; equal ones are stored once. */
  constant(tensor: Tensor): string {
    const bytes = toBytes(tensor);
    const type = `${tensor.dtype}[${tensor.dims.join(",")}]`;
    const short = bytes.length <= 64;
    const name = short
      ? `const/${type}/${Buffer.from(bytes).toString("hex")}`
      : `const/${type}/#${this.initialisers.size}`;
    this.initialisers.set(name, tensor);
    return name;
  }

  /** A scalar constant, or a vector with `dims`. */
  number(value: number, dtype: DType = "float32", dims: readonly number[] = []): string {
    if (dtype === "float32") return this.constant({ dtype, dims, data: Float32Array.of(value) });
    if (dtype === "int32") return this.constant(int32(dims, [value]));
    if (dtype === "int64") return this.constant({ dtype, dims, data: BigInt64Array.of(BigInt(value)) });
    throw internalError(`constant of ${dtype}`);
  }

  /** An int64 vector: axes, shapes. */
  int64s(values: readonly number[]): string {
    return this.constant({ dtype: "int64", dims: [values.length], data: BigInt64Array.from(values, BigInt) });
  }

  /** A dimension as int64 [1]: a constant, or computed from the shapes of tensors that carry its symbols. */
  dim(dim: Dim): string {
    if (typeof dim === "number") return this.int64s([dim]);
    const carrier = this.#carriers.get(dim);
    if (carrier !== undefined) {
      return this.op("Shape", [carrier.name], { start: carrier.axis, end: carrier.axis + 1 });
    }
    const terms = termsOf(dim);
    const [only] = terms;
    if (terms.length === 1 && only?.coefficient === 1 && only.symbols.length === 1) {
      throw new UserError(
        "onnx.dimension",
        `onnx: expected an input or state with dimension ${dim}, got none (at ${this.#location()})`,
      );
    }
    return terms
      .map(({ coefficient, symbols }) => {
        const factors = symbols.map((symbol) => this.dim(symbol));
        if (coefficient !== 1 || factors.length === 0) factors.push(this.int64s([coefficient]));
        return factors.reduce((product, factor) => this.op("Mul", [product, factor]));
      })
      .reduce((sum, term) => this.op("Add", [sum, term]));
  }

  /** A shape as an int64 vector. */
  shape(shape: Shape): string {
    if (shape.every((dim) => typeof dim === "number")) return this.int64s(shape);
    const parts: string[] = [];
    let fixed: number[] = [];
    const flush = (): void => {
      if (fixed.length > 0) parts.push(this.int64s(fixed));
      fixed = [];
    };
    for (const dim of shape) {
      if (typeof dim === "number") fixed.push(dim);
      else {
        flush();
        parts.push(this.dim(dim));
      }
    }
    flush();
    return parts.length === 1 ? parts[0]! : this.op("Concat", parts, { axis: 0 });
  }

  /**
   * Reshapes `name`, whose shape is `from`. Dimensions that stay in place, and one that does not, need no run-time
   * arithmetic.
   */
  reshape(name: string, from: Shape, to: Shape): string {
    if (from.length === to.length && from.every((dim, axis) => dim === to[axis])) return name;
    const plan = to.map((dim, axis) => (typeof dim === "number" ? dim : dim === from[axis] ? 0 : -1));
    const unknown = plan.filter((dim) => dim === -1).length;
    // A static dimension of 0 would read as "copy".
    const simple = unknown <= 1 && !to.includes(0);
    return this.op("Reshape", [name, simple ? this.int64s(plan) : this.shape(to)]);
  }

  /** Casts unless it has the type already. */
  cast(name: string, from: DType, to: DType): string {
    return from === to ? name : this.op("Cast", [name], { to: ONNX_TYPES[to] });
  }

  /** Indices as int64, which every ONNX op takes. */
  index(name: string, value: Value): string {
    return this.cast(name, value.dtype, "int64");
  }
}

/** TensorProto.DataType. */
export const ONNX_TYPES: { readonly [D in DType]: number } = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
};
