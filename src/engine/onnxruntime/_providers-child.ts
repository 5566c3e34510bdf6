import { float32, messageOf } from "../../base/index.js";
import { Graph, matmul } from "../../graph/index.js";
import { availableProviders } from "./_providers.js";
import { onnxruntimeEngine } from "./onnxruntime.js";
import type { ProviderState } from "./providers.js";

/** A process of its own, because ONNX Runtime's libraries write to standard error when they do not load. */
async function tryProvider(name: string): Promise<ProviderState> {
  const graph = new Graph("probe");
  const x = graph.input("x", "float32", [2, 2]);
  graph.output("y", matmul(x, x));
  try {
    const session = await onnxruntimeEngine.open({ probe: graph }, {}, { provider: name, threads: 1 });
    try {
      const { y } = await session.run("probe", { x: float32([2, 2], [1, 2, 3, 4]) });
      const right = [7, 10, 15, 22].every((value, i) => Math.abs(Number(y?.data[i]) - value) < 1e-3);
      return right ? { name, usable: true } : { name, usable: false, reason: "it computes wrong numbers" };
    } finally {
      await session.close();
    }
  } catch (error) {
    return { name, usable: false, reason: messageOf(error).split("\n")[0]! };
  }
}

const states: ProviderState[] = [];
for (const name of availableProviders()) states.push(await tryProvider(name));
process.send?.(states);
process.disconnect();
