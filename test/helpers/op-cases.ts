import { elementCount, float32, int32, tensor, type DType, type Rng, type Tensor } from "../../src/base/index.js";
import * as ops from "../../src/graph/index.js";
import type { Graph, OpName, Shape, Value } from "../../src/graph/index.js";

/** A random use of an op: tensors by name, with the shapes the graph declares for them, and what is built of them. */
export interface OpCase {
  readonly feeds: Readonly<Record<string, { readonly value: Tensor; readonly shape: Shape }>>;
  readonly build: (values: readonly Value[], graph: Graph) => readonly Value[];
}

type Draw = (rng: Rng) => OpCase;

/** Random sizes: `dims(rng, 2)` is e.g. [3, 5]. */
const dims = (rng: Rng, rank: number, most = 5): number[] => Array.from({ length: rank }, () => 1 + rng.int(most));
const floats = (rng: Rng, shape: readonly number[], positive = false): Tensor =>
  float32(
    shape,
    Array.from({ length: elementCount(shape) }, () => (positive ? 0.2 + 3 * rng.uniform() : 2 * rng.normal())),
  );
const ints = (rng: Rng, shape: readonly number[], bound: number): Tensor =>
  int32(
    shape,
    Array.from({ length: elementCount(shape) }, () => rng.int(bound)),
  );
const bools = (rng: Rng, shape: readonly number[]): Tensor =>
  tensor(
    "bool",
    shape,
    Uint8Array.from({ length: elementCount(shape) }, () => rng.int(2)),
  );

/** A case over some tensors; the first axis of the first is symbolic where `symbolic` allows it. */
function over(values: readonly Tensor[], build: OpCase["build"], shapes?: readonly Shape[]): OpCase {
  const named = values.map((value, index) => [`x${index}`, { value, shape: shapes?.[index] ?? value.dims }] as const);
  return { feeds: Object.fromEntries(named), build };
}

const unary =
  (f: (x: Value) => Value, positive = false): Draw =>
  (rng) => {
    const shape = dims(rng, 1 + rng.int(3));
    const symbolic = ["B", ...shape.slice(1)];
    return over([floats(rng, shape, positive)], ([x]) => [f(x!)], [symbolic]);
  };

/** Two shapes that broadcast: some axes of either are 1, and the second may have fewer. */
function broadcasting(rng: Rng): readonly [number[], number[]] {
  const full = dims(rng, 1 + rng.int(3));
  const thin = (): number[] => full.map((dim) => (rng.int(3) === 0 ? 1 : dim));
  return [thin(), thin().slice(rng.int(full.length))];
}
const binary =
  (f: (a: Value, b: Value) => Value, kind: "float" | "positive" | "int" | "few" | "bool" = "float"): Draw =>
  (rng) => {
    const values = broadcasting(rng).map((shape) => {
      if (kind === "bool") return bools(rng, shape);
      if (kind === "few") return ints(rng, shape, 3);
      // Products of these leave 32 bits, and wrap.
      return kind === "int" ? ints(rng, shape, 2 ** 31) : floats(rng, shape, kind === "positive");
    });
    return over(values, ([a, b]) => [f(a!, b!)]);
  };

const arithmetic =
  (f: (a: Value, b: Value) => Value): Draw =>
  (rng) =>
    binary(f, rng.int(2) === 0 ? "int" : "float")(rng);

const reduction =
  (f: typeof ops.reduceSum): Draw =>
  (rng) => {
    const shape = dims(rng, 1 + rng.int(3));
    const axes = shape.map((_, axis) => axis).filter(() => rng.int(2) === 0);
    const keepDims = rng.int(2) === 0;
    return over([floats(rng, shape)], ([x]) => [f(x!, axes.length === 0 ? undefined : axes, { keepDims })]);
  };

const rows =
  (f: (x: Value) => readonly Value[]): Draw =>
  (rng) =>
    over([floats(rng, dims(rng, 1 + rng.int(3), 7))], ([x]) => f(x!));

/** Leading axes of both factors, which broadcast. */
const BATCHES: readonly (readonly [number[], number[]])[] = [
  [[], []],
  [[3], []],
  [[2, 3], [3]],
  [
    [2, 1],
    [1, 3],
  ],
];

const product: Draw = (rng) => {
  const [m, k, n] = dims(rng, 3, 6) as [number, number, number];
  const [transposeA, transposeB] = [rng.int(2) === 0, rng.int(2) === 0];
  const [batchA, batchB] = BATCHES[rng.int(BATCHES.length)]!;
  const a = floats(rng, [...batchA, ...(transposeA ? [k, m] : [m, k])]);
  const b = floats(rng, [...batchB, ...(transposeB ? [n, k] : [k, n])]);
  const alpha = rng.int(2) === 0 ? 1 : 0.125;
  return over([a, b], ([x, y]) => [ops.matmul(x!, y!, { transposeA, transposeB, alpha })]);
};

const normal =
  (f: (values: readonly Value[]) => readonly Value[], outputs: "value" | "gradient"): Draw =>
  (rng) => {
    const shape = [...dims(rng, 1 + rng.int(2)), 2 + rng.int(6)];
    const width = shape.at(-1)!;
    const tensors = [floats(rng, shape), floats(rng, [width]), floats(rng, [width])];
    if (outputs === "gradient") tensors.push(floats(rng, shape));
    return over(tensors, f);
  };

/** A random case for every op; one that is missing does not compile. */
export const OP_CASES: { readonly [K in OpName]: Draw } = {
  exp: unary(ops.exp),
  log: unary(ops.log, true),
  sqrt: unary(ops.sqrt, true),
  tanh: unary(ops.tanh),
  sigmoid: unary(ops.sigmoid),
  softplus: unary(ops.softplus),
  erf: unary(ops.erf),
  neg: unary(ops.neg),
  abs: unary(ops.abs),
  sign: unary(ops.sign),
  square: unary(ops.square),
  reciprocal: unary(ops.reciprocal, true),
  stopGradient: unary((x) => ops.add(ops.stopGradient(x), 1)),
  logicalNot: (rng) => over([bools(rng, dims(rng, 2))], ([x]) => [ops.logicalNot(x!)]),
  cast: (rng) => {
    const to = (["int32", "int64", "bool", "float32", "float16"] as const satisfies readonly DType[])[rng.int(5)]!;
    const value = rng.int(2) === 0 ? floats(rng, dims(rng, 2)) : ints(rng, dims(rng, 2), 4);
    return over([value], ([x]) => [ops.add(ops.cast(ops.cast(x!, to), "float32"), 0)]);
  },
  gelu: (rng) => unary((x) => ops.gelu(x, rng.int(2) === 0 ? "tanh" : "none"))(rng),
  geluGrad: (rng) => {
    const shape = dims(rng, 2);
    const form = rng.int(2) === 0 ? "tanh" : "none";
    return over([floats(rng, shape), floats(rng, shape)], ([x, g]) => [ops.geluGrad(x!, g!, ops.gelu(x!, form), form)]);
  },

  add: arithmetic(ops.add),
  sub: arithmetic(ops.sub),
  mul: arithmetic(ops.mul),
  div: binary(ops.div, "positive"),
  maximum: binary(ops.maximum),
  minimum: binary(ops.minimum),
  equal: binary(ops.equal, "few"),
  less: binary(ops.less, "few"),
  greater: binary(ops.greater, "few"),
  logicalAnd: binary(ops.logicalAnd, "bool"),
  logicalOr: binary(ops.logicalOr, "bool"),
  where: (rng) => {
    const [a, b] = broadcasting(rng);
    return over([bools(rng, a), floats(rng, b), floats(rng, a)], ([c, x, y]) => [ops.where(c!, x!, y!)]);
  },

  reduceSum: reduction(ops.reduceSum),
  reduceMean: reduction(ops.reduceMean),
  reduceMax: reduction(ops.reduceMax),
  argmax: (rng) => {
    const shape = dims(rng, 2);
    const axis = rng.int(2);
    return over([ints(rng, shape, 3)], ([x]) => [ops.argmax(ops.cast(x!, "float32"), axis)]);
  },
  logSumExp: rows((x) => [ops.logSumExp(x)]),

  reshape: (rng) => {
    const [a, b] = dims(rng, 2) as [number, number];
    return over([floats(rng, [a, 2, b])], ([x]) => [ops.reshape(x!, ["B", 2 * b])], [["B", 2, b]]);
  },
  transpose: (rng) => {
    const shape = dims(rng, 1 + rng.int(4));
    const perm = rng.shuffle(shape.map((_, axis) => axis));
    return over([floats(rng, shape)], ([x]) => [ops.add(ops.transpose(x!, perm), 0)]);
  },
  expand: (rng) => {
    const shape = dims(rng, 3);
    const thin = shape.map((dim) => (rng.int(2) === 0 ? 1 : dim)).slice(rng.int(3));
    return over([floats(rng, thin)], ([x]) => [ops.add(ops.expand(x!, shape), 0)]);
  },
  concat: (rng) => {
    const shape = dims(rng, 3);
    const axis = rng.int(3);
    const parts = dims(rng, 1 + rng.int(3)).map((size) => shape.map((dim, other) => (other === axis ? size : dim)));
    return over(
      parts.map((part) => floats(rng, part)),
      (values) => [ops.add(ops.concat(values, axis), 0)],
    );
  },
  slice: (rng) => {
    const shape = dims(rng, 3);
    const axis = rng.int(3);
    const start = rng.int(shape[axis]!);
    const end = start + 1 + rng.int(shape[axis]! - start);
    return over([floats(rng, shape)], ([x]) => [ops.slice(x!, axis, start, end)]);
  },
  split: (rng) => {
    const sizes = dims(rng, 1 + rng.int(3));
    const shape = [2, sizes.reduce((a, b) => a + b, 0), 3];
    return over([floats(rng, shape)], ([x]) => ops.split(x!, 1, sizes).map((part) => ops.add(part, 0)));
  },
  pad: (rng) => {
    const shape = dims(rng, 3);
    const [axis, before, after] = [rng.int(3), rng.int(3), rng.int(3)];
    return over([floats(rng, shape)], ([x]) => [ops.add(ops.pad(x!, axis, before, after), 0)]);
  },

  gather: (rng) => {
    const shape = dims(rng, 3);
    const axis = rng.int(3);
    return over([floats(rng, shape), ints(rng, dims(rng, 2), shape[axis]!)], ([x, at]) => [ops.gather(x!, at!, axis)]);
  },
  scatterAddRows: (rng) => {
    const at = dims(rng, 1 + rng.int(2));
    const size = 1 + rng.int(4);
    const updates = floats(rng, [...at, ...dims(rng, rng.int(3))]);
    return over([ints(rng, at, size), updates], ([index, update]) => [ops.scatterAddRows(index!, update!, size)]);
  },
  gatherElements: (rng) => {
    const shape = dims(rng, 2);
    const axis = rng.int(2);
    const picked = shape.map((dim, other) => (other === axis ? 1 + rng.int(4) : dim));
    return over([floats(rng, shape), ints(rng, picked, shape[axis]!)], ([x, at]) => [
      ops.gatherElements(x!, at!, axis),
    ]);
  },
  scatterAddElements: (rng) => {
    const shape = dims(rng, 2);
    const [axis, size] = [rng.int(2), 1 + rng.int(4)];
    return over([ints(rng, shape, size), floats(rng, shape)], ([at, update]) => [
      ops.scatterAddElements(at!, update!, axis, size),
    ]);
  },
  iota: (rng) => over([floats(rng, [1 + rng.int(5)])], (_, graph) => [ops.iota(graph, "B")], [["B"]]),
  dimension: (rng) => over([floats(rng, dims(rng, 2))], (_, graph) => [ops.dimension(graph, "2*B*T+1")], [["B", "T"]]),

  matmul: product,
  softmax: rows((x) => [ops.softmax(x)]),
  softmaxGrad: (rng) => {
    const shape = dims(rng, 2);
    return over([floats(rng, shape), floats(rng, shape)], ([x, g]) => [ops.softmaxGrad(ops.softmax(x!), g!)]);
  },
  softmaxCrossEntropy: (rng) => {
    const [m, v] = dims(rng, 2, 8) as [number, number];
    return over([floats(rng, [m, v]), ints(rng, [m], v)], ([x, label]) => [ops.softmaxCrossEntropy(x!, label!)]);
  },
  softmaxCrossEntropyGrad: (rng) => {
    const [m, v] = dims(rng, 2, 8) as [number, number];
    return over([floats(rng, [m, v]), ints(rng, [m], v), floats(rng, [m])], ([x, label, g]) => [
      ops.softmaxCrossEntropyGrad(ops.softmax(x!), label!, g!),
    ]);
  },
  linearCrossEntropy: (rng) => {
    const [m, h, v] = dims(rng, 3, 8) as [number, number, number];
    return over([floats(rng, [m, h]), floats(rng, [v, h]), ints(rng, [m], v)], ([x, table, label]) => {
      const { loss, correct } = ops.linearCrossEntropy(x!, table!, label!);
      return [loss, correct];
    });
  },
  layerNorm: normal(([x, scale, bias]) => [ops.layerNorm(x!, scale!, bias!)], "value"),
  layerNormGrad: normal(([x, scale, bias, g]) => {
    // Mean and deviation come from the op itself, through the node that made the value.
    const { origin } = ops.layerNorm(x!, scale!, bias!);
    if (origin.kind !== "node") throw new Error("a node was expected");
    const [, mean, invStd] = origin.node.outputs as readonly Value[];
    return ops.layerNormGrad(x!, scale!, mean!, invStd!, g!);
  }, "gradient"),
  dropoutMask: (rng) => {
    const shape = dims(rng, 2 + rng.int(3), 7);
    const [rate, place] = [rng.uniform() * 0.9, rng.int(50)];
    const key = int32([2], [rng.uint32() | 0, rng.uint32() | 0]);
    return over([floats(rng, shape, true), key, ints(rng, [shape[0]!], 2 ** 31)], ([x, keys, numbers]) => [
      ops.dropout(x!, { rate, key: keys!, rows: numbers!, place }),
    ]);
  },
  allGather: unary((x) => ops.add(ops.allGather(x), 0)),
  reduceScatter: (rng) => over([floats(rng, dims(rng, 2))], ([x]) => [ops.add(ops.reduceScatter(x!), 0)]),
};
