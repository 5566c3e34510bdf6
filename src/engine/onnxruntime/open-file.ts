import { access } from "node:fs/promises";
import { UserError, errnoOf } from "../../base/index.js";
import { checkOptions } from "../_checks.js";
import type { EngineOptions, EngineSession } from "../engine.js";
import { Channel } from "./_channel.js";
import { runtimeOptions } from "./onnxruntime.js";
import { OnnxSession } from "./_session.js";

/**
 * Opens an ONNX model (an exported encoder, ours or another's) as a session with the one program `main` and no state.
 *
 * @param file a path (weights kept as external data are found beside it) or the model's bytes
 * @throws UserError `engine.model` (missing, unreadable, no ONNX model), `engine.provider`, `engine.threads`
 */
export async function openOnnxFile(file: string | Uint8Array, options: EngineOptions = {}): Promise<EngineSession> {
  checkOptions(options);
  if (typeof file === "string") await checkReadable(file);
  const channel = new Channel();
  try {
    const { inputs, outputs } = await channel.call("openFile", [file, runtimeOptions(options)]);
    const main = { inputs: new Map(Object.entries(inputs)), outputs: new Map(Object.entries(outputs)) };
    return new OnnxSession(channel, { main }, new Map());
  } catch (error) {
    await channel.close();
    throw error;
  }
}

async function checkReadable(path: string): Promise<void> {
  try {
    await access(path);
  } catch (error) {
    const came = errnoOf(error) === "ENOENT" ? "no such file" : String(errnoOf(error));
    throw new UserError("engine.model", `${path}: expected an ONNX model, got ${came}`, { cause: error });
  }
}
