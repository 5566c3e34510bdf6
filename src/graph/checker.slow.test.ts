import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { prepared } from "../../test/helpers/prepared-gradients.js";
import { python, testWithPython } from "../../test/helpers/requires.js";
import { float32 } from "../base/index.js";
import * as ops from "./index.js";
import { externalDataParts, Graph, IR_VERSION, OPSET, simplify, toOnnx, toOnnxWithData } from "./index.js";

/** What the gradient cases leave out. */
function others(): Graph {
  const graph = new Graph("others");
  const x = graph.input("x", "float32", ["B", "T", 4]);
  const key = graph.input("key", "int32", [2]);
  const rows = graph.input("rows", "int32", ["B"]);
  const w = graph.state("w", "float32", [4, 4]);
  const y = ops.dropout(ops.matmul(x, w), { rate: 0.1, key, rows, place: 3 });
  graph.output("y", ops.where(ops.logicalOr(ops.greater(y, 0), ops.logicalNot(ops.less(x, 1))), y, ops.sign(x)));
  graph.output("best", ops.argmax(y));
  graph.output("count", ops.dimension(graph, "B*T+1"));
  graph.update("w", ops.stopGradient(ops.add(w, 1)));
  return graph;
}

testWithPython("onnx.checker accepts every op, with weights inside and outside", () => {
  const folder = mkdtempSync(join(tmpdir(), "lodestone-checker-"));
  try {
    const files = new Map<string, Uint8Array>();
    for (const { name, graph } of prepared) {
      files.set(`${name.replace(" ", "-")}.onnx`, toOnnx(graph));
      files.set(`${name.replace(" ", "-")}-simple.onnx`, toOnnx(simplify(graph)));
    }
    files.set("others.onnx", toOnnx(others()));
    const weights = { w: float32([4, 4], new Float32Array(16)) };
    files.set("inside.onnx", toOnnx(others(), { weights }));
    const outside = toOnnxWithData(others(), "outside.data", { weights });
    files.set("outside.onnx", outside.model);
    writeFileSync(join(folder, "outside.data"), Buffer.concat([...externalDataParts(outside.tensors)]));
    const paths = [...files].map(([name, bytes]) => {
      writeFileSync(join(folder, name), bytes);
      return join(folder, name);
    });
    const script = fileURLToPath(new URL("./_check_onnx.py", import.meta.url));
    const run = spawnSync(python!, [script, ...paths], { encoding: "utf8" });
    expect(run.status, run.stderr).toBe(0);
    const lines = run.stdout.trim().split("\n");
    expect(lines).toHaveLength(files.size);
    for (const line of lines) expect(line).toMatch(new RegExp(` ${IR_VERSION} \\[\\('', ${OPSET}\\)\\]$`));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
