import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { UserError, float32, int32, type Tensor } from "../../base/index.js";
import { Graph, add, externalDataParts, gather, matmul, toOnnx, toOnnxWithData } from "../../graph/index.js";
import type { EngineSession } from "../engine.js";
import { openOnnxFile } from "./open-file.js";

/** y = table[ids] W + 1, with both as weights of the model. */
function model(): { graph: Graph; weights: Record<string, Tensor> } {
  const graph = new Graph("encoder");
  const table = graph.state("table", "float32", [3, 2]);
  const rows = gather(table, graph.input("ids", "int32", ["B", "T"])); // [B, T, 2]
  graph.output("y", add(matmul(rows, graph.state("w", "float32", [2, 2])), 1));
  const weights = { table: float32([3, 2], [1, 2, 3, 4, 5, 6]), w: float32([2, 2], [1, 0, 0, 2]) };
  return { graph, weights };
}
const IDS = { ids: int32([1, 2], [2, 0]) };
const Y = float32([1, 2, 2], [6, 13, 2, 5]);

let folder: string;
let session: EngineSession | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-engine-"));
});
afterEach(async () => {
  await session?.close();
  session = undefined;
});
afterAll(() => rm(folder, { recursive: true }));

describe("openOnnxFile", () => {
  test("from a path: symbolic dimensions, any size of batch", async () => {
    const { graph, weights } = model();
    const path = join(folder, "model.onnx");
    await writeFile(path, toOnnx(graph, { weights }));
    session = await openOnnxFile(path, { threads: 1 });
    expect(Object.keys(session.programs)).toEqual(["main"]);
    expect([...session.programs["main"]!.inputs.keys()]).toEqual(["ids"]);
    expect((await session.run("main", IDS))["y"]).toEqual(Y);
    const { y } = await session.run("main", { ids: int32([3, 1], [0, 1, 2]) });
    expect(y).toEqual(float32([3, 1, 2], [2, 5, 4, 9, 6, 13]));
    expect(await session.read()).toEqual({});
  });

  test("from bytes, which stay the caller's", async () => {
    const { graph, weights } = model();
    const bytes = toOnnx(graph, { weights });
    const before = bytes.slice();
    session = await openOnnxFile(bytes, { threads: 1 });
    expect((await session.run("main", IDS))["y"]).toEqual(Y);
    expect(bytes).toEqual(before);
  });

  test("weights in a second file beside it", async () => {
    const { graph, weights } = model();
    const { model: bytes, tensors } = toOnnxWithData(graph, "weights.bin", { weights });
    await writeFile(join(folder, "external.onnx"), bytes);
    await writeFile(join(folder, "weights.bin"), Buffer.concat([...externalDataParts(tensors)]));
    session = await openOnnxFile(join(folder, "external.onnx"), { threads: 1 });
    expect((await session.run("main", IDS))["y"]).toEqual(Y);
  });

  test("a batch that does not fit is refused by name", async () => {
    const { graph, weights } = model();
    session = await openOnnxFile(toOnnx(graph, { weights }), { threads: 1 });
    await expect(session.run("main", { ids: float32([1, 1], [0]) })).rejects.toThrow(
      /program "main": expected int32\[.*\] for input "ids", got float32\[1, 1\]/,
    );
    await expect(session.run("main", {})).rejects.toThrow(/expected input "ids" int32\[.*\], got none/);
  });

  test.each<[string, (path: string) => Promise<void>, RegExp]>([
    ["missing", () => Promise.resolve(), /missing\.onnx: expected an ONNX model, got no such file/],
    [
      "corrupt",
      (path) => writeFile(path, Buffer.from("no protobuf at all")),
      /corrupt\.onnx: expected an ONNX model, got: /,
    ],
    [
      "cut",
      async (path) => writeFile(path, toOnnx(model().graph, { weights: model().weights }).subarray(0, 200)),
      /cut\.onnx: expected an ONNX model, got: /,
    ],
  ])("a %s file is one clear line", async (name, make, message) => {
    const path = join(folder, `${name}.onnx`);
    await make(path);
    const error: unknown = await openOnnxFile(path).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).code).toBe("engine.model");
    expect((error as UserError).message).toMatch(message);
    expect((error as UserError).message).not.toMatch(/\n/);
  });

  test("an unavailable provider lists those available", async () => {
    const { graph, weights } = model();
    const opening = openOnnxFile(toOnnx(graph, { weights }), { provider: "abacus" });
    await expect(opening).rejects.toThrow(/expected one of .*cpu.*, got "abacus"/);
  });
});
