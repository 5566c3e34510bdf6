import { availableParallelism } from "node:os";
import type { Graph } from "../../graph/index.js";
import { toOnnx, updateOutputName } from "../../graph/index.js";
import { checkOptions, checkWholeState, signatureOf, stateTypes } from "../_checks.js";
import type { Engine, EngineOptions, EngineSession, Tensors } from "../engine.js";
import { Channel } from "./_channel.js";
import { compact, type ProgramModel, type RuntimeOptions } from "./_protocol.js";
import { OnnxSession } from "./_session.js";

/**
 * The default engine: every graph becomes an ONNX model that ONNX Runtime runs in a worker thread, where the state
 * lives too. `session.run` of onnxruntime-node blocks its thread, so ours stays free for signals, progress and data.
 */
export const onnxruntimeEngine: Engine = {
  name: "onnxruntime",
  async open(
    programs: Readonly<Record<string, Graph>>,
    state: Tensors,
    options: EngineOptions = {},
  ): Promise<EngineSession> {
    const types = stateTypes(programs);
    checkOptions(options);
    checkWholeState(types, state);
    const models = Object.entries(programs).map(([name, graph]) => compile(name, graph));
    const signatures = Object.fromEntries(Object.entries(programs).map(([name, graph]) => [name, signatureOf(graph)]));
    const channel = new Channel();
    try {
      const transfer = models.map(({ model }) => model.buffer as ArrayBuffer);
      await channel.call("openPrograms", [models, compact(state), runtimeOptions(options)], transfer);
    } catch (error) {
      await channel.close();
      throw error;
    }
    return new OnnxSession(channel, signatures, types);
  },
};

/** The defaults filled in. */
export function runtimeOptions({ threads, provider }: EngineOptions): RuntimeOptions {
  return { threads: threads ?? availableParallelism(), provider: provider ?? "cpu" };
}

function compile(name: string, graph: Graph): ProgramModel {
  return {
    name,
    model: toOnnx(graph, { target: "onnxruntime" }).slice(),
    states: [...graph.states.keys()],
    outputs: [...graph.outputs.keys()],
    updates: Object.fromEntries([...graph.updates.keys()].map((state) => [state, updateOutputName(state)])),
  };
}
