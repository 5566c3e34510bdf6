import { describe, expect, test } from "vitest";
import { float32, UserError } from "../base/index.js";
import * as ops from "./index.js";
import { Graph, type Value } from "./index.js";

/** One of each: x float [B, 256], m float [256, 512], s float [512], i int [B], flag bool [B]. */
function values() {
  const graph = new Graph("test");
  return {
    graph,
    x: graph.input("x", "float32", ["B", 256]),
    m: graph.state("m", "float32", [256, 512]),
    s: graph.state("s", "float32", [512]),
    i: graph.input("i", "int32", ["B"]),
    flag: graph.input("flag", "bool", ["B"]),
    key: graph.input("key", "int32", [2]),
  };
}

describe("shape errors", () => {
  test("name the op, both shapes and the line that built it", () => {
    const { x, s } = values();
    expect(() => ops.layerNorm(x, s, s)).toThrow(
      /^layerNorm: expected scale \[256\], got \[512\] \(at graph\/graph\.test\.ts:\d+\)$/,
    );
  });

  type Build = (v: ReturnType<typeof values>) => unknown;
  const cases: readonly (readonly [string, Build])[] = [
    ["add: expected shapes that broadcast, got [B, 256] and [512]", ({ x, s }) => ops.add(x, s)],
    ["mul: expected equal dtypes, got float32 and int32", ({ x, i }) => ops.mul(x, i)],
    ["logicalAnd: expected a value of bool, got int32", ({ i }) => ops.logicalAnd(i, i)],
    ["exp: expected a value of float32 or float16, got int32", ({ i }) => ops.exp(i)],
    ["where: expected a condition of bool, got float32", ({ x }) => ops.where(x, x, x)],
    ["reduceSum: expected an axis of [B, 256], got 2", ({ x }) => ops.reduceSum(x, [2])],
    ["reduceMax: expected different axes, got [1, 1]", ({ x }) => ops.reduceMax(x, [1, -1])],
    ["reshape: expected 256*B elements as in [B, 256], got [B, 4, 32]", ({ x }) => ops.reshape(x, ["B", 4, 32])],
    ["reshape: expected 256*B elements as in [B, 256], got [-1, 7]", ({ x }) => ops.reshape(x, [-1, 7])],
    ["transpose: expected an order of the axes of [B, 256], got [0, 0]", ({ x }) => ops.transpose(x, [0, 0])],
    ["expand: expected a shape that [B, 256] broadcasts to, got [T, 256]", ({ x }) => ops.expand(x, ["T", 256])],
    ["concat: expected [256, 512] but for axis 1, got [B, 256]", ({ m, x }) => ops.concat([m, x], 1)],
    ["slice: expected a range within axis 1 of [B, 256], got 3 to 257", ({ x }) => ops.slice(x, 1, 3, 257)],
    ["split: expected sizes that add up to 256, got [128, 64]", ({ x }) => ops.split(x, 1, [128, 64])],
    ["gather: expected indices of int32 or int64, got float32", ({ x, m }) => ops.gather(m, x)],
    ["scatterAddRows: expected updates that start with [B], got [512]", ({ i, s }) => ops.scatterAddRows(i, s, 9)],
    [
      "matmul: expected matrices that fit, got [B, 256] and [256, 512] transposed",
      ({ x, m }) => ops.matmul(x, m, { transposeB: true }),
    ],
    ["matmul: expected matrices, got [B, 256] and [512]", ({ x, s }) => ops.matmul(x, s)],
    ["softmaxCrossEntropy: expected labels [256], got [B]", ({ m, i }) => ops.softmaxCrossEntropy(m, i)],
    [
      "linearCrossEntropy: expected x [M, H] and table [V, H], got [B, 256], [256, 512]",
      ({ x, m, i }) => ops.linearCrossEntropy(x, m, i),
    ],
    [
      "dropoutMask: expected a rate in [0, 1), got 1",
      ({ x, key, i }) => ops.dropout(x, { rate: 1, key, rows: i, place: 0 }),
    ],
    ["reduceScatter: expected a first axis that 2 processes share, got [B, 256]", ({ x }) => ops.reduceScatter(x, 2)],
  ];
  test.each(cases)("%s", (message, build) => {
    expect(() => build(values())).toThrow(`${message} (at `);
    expect(() => build(values())).toThrow(UserError);
  });
});

describe("a graph", () => {
  test("knows the types of results", () => {
    const { graph, x, m, s } = values();
    const type = (value: Value): string => ops.showType(value);
    expect(type(ops.add(ops.matmul(x, m), s))).toBe("float32[B, 512]");
    expect(type(ops.less(x, 0))).toBe("bool[B, 256]");
    expect(type(ops.reshape(x, ["B", 4, -1]))).toBe("float32[B, 4, 64]");
    const longer = ops.concat([x, graph.input("y", "float32", ["C", 256])], 0);
    expect(type(ops.reshape(longer, [-1, 64]))).toBe("float32[4*B+4*C, 64]");
    expect(type(ops.concat([x, x], 0))).toBe("float32[2*B, 256]");
    expect(type(ops.slice(ops.concat([x, x], 0), 0, "B", "2*B"))).toBe("float32[B, 256]");
    expect(type(ops.argmax(x))).toBe("int32[B]");
    expect(type(ops.iota(graph, "T*B"))).toBe("int32[B*T]");
    expect(type(ops.allGather(x, 4))).toBe("float32[4*B, 256]");
  });

  test("refuses values of another graph, names twice and updates of another type", () => {
    const { graph, x, s } = values();
    const other = new Graph("other").input("x", "float32", ["B", 256]);
    expect(() => ops.add(x, other)).toThrow('add: expected values of graph "test", got one of "other" (at ');
    expect(() => graph.output("y", other)).toThrow('output: expected a value of graph "test", got one of "other"');
    expect(() => graph.input("s", "float32", [])).toThrow('graph test: input "s" is declared twice');
    graph.output("y", x);
    expect(() => graph.output("y", x)).toThrow('output "y" is named twice');
    expect(() => graph.update("m", s)).toThrow('update: expected float32[256, 512] for "m", got float32[512] (at ');
    expect(() => graph.update("none", s)).toThrow('expected a state of graph test, got "none"');
    expect(() => graph.input("bad", "float32", [1.5])).toThrow("expected whole dimensions, got [1.5]");
  });

  test("refuses the gradient of what is no scalar, and second derivatives of fused ops", () => {
    const { x } = values();
    expect(() => ops.gradients(x, [x])).toThrow("gradients: expected a loss float32[], got float32[B, 256]");
    const [gradient] = ops.gradients(ops.reduceSum(ops.gelu(x)), [x]);
    expect(() => ops.gradients(ops.reduceSum(gradient!), [x])).toThrow(
      /^gradients: expected ops with a gradient rule, got geluGrad \(at graph\/graph\.test\.ts:\d+\)$/,
    );
  });

  test("prints", () => {
    const graph = new Graph("step");
    const x = graph.input("x", "float32", ["B", 2]);
    const w = graph.state("w", "float32", [2, 3]);
    const loss = graph.scope("h.0", () => {
      const y = graph.scope("mlp", () => ops.gelu(ops.matmul(x, w)));
      return ops.reduceMean(ops.mul(y, graph.constant(float32([3], [1, 2, 3]))));
    });
    const [gradient] = ops.gradients(loss, [w]);
    graph.update("w", ops.sub(w, ops.mul(gradient!, 0.1)));
    graph.output("loss", loss);
    expect(ops.simplify(graph).toString()).toMatchInlineSnapshot(`
      "graph step
        input x: float32[B, 2]
        state w: float32[2, 3]
        # h.0/mlp
        %0 = matmul(x, w) {transposeA: false, transposeB: false, alpha: 1} : float32[B, 3]
        %1 = gelu(%0) {form: tanh} : float32[B, 3]
        # h.0
        %2 = mul(%1, float32[3](1, 2, 3)) : float32[B, 3]
        %3 = reduceMean(%2) {axes: [0, 1], keepDims: false} : float32[]
        # grad/h.0
        %4 = dimension() {size: 3*B} : int32[]
        %5 = cast(%4) {to: float32} : float32[]
        %6 = div(1, %5) : float32[]
        %7 = reshape(%6) {shape: [1, 1]} : float32[1, 1]
        %8 = expand(%7) {shape: [B, 3]} : float32[B, 3]
        %9 = mul(%8, float32[3](1, 2, 3)) : float32[B, 3]
        # grad/h.0/mlp
        %10 = geluGrad(%0, %9, %1) {form: tanh} : float32[B, 3]
        %11 = matmul(x, %10) {transposeA: true, transposeB: false, alpha: 1} : float32[2, 3]
        # (top)
        %12 = mul(%11, 0.1) : float32[2, 3]
        %13 = sub(w, %12) : float32[2, 3]
        output loss = %3
        update w = %13
      "
    `);
  });
});

describe("the tables of rules", () => {
  test("do not compile when an op is missing", () => {
    type WithoutAdd<T> = Omit<T, "add">;
    const rest: WithoutAdd<typeof ops.GRADIENTS> = ops.GRADIENTS;
    // @ts-expect-error the rule of add is missing
    const incomplete: { readonly [K in ops.OpName]: ops.GradientRule<K> } = rest;
    const lowerings: WithoutAdd<typeof ops.LOWERINGS> = ops.LOWERINGS;
    // @ts-expect-error the lowering of add is missing
    const incompleteLowerings: { readonly [K in ops.OpName]: ops.Lowering<K> } = lowerings;
    // @ts-expect-error a rule for one input where the op has two
    const wrong: ops.GradientRule<"add"> = ({ gradients: [g] }) => [g];
    expect([incomplete, incompleteLowerings, wrong].length).toBe(3);
  });
});
