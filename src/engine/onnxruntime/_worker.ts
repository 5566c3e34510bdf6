import { parentPort } from "node:worker_threads";
import { internalError } from "../../base/index.js";
import { buffersOf, toFailure, type Reply, type Request } from "./_protocol.js";
import { Runtime } from "./_runtime.js";

/** The worker's end: one call after the other, in the order in which they came. */
if (parentPort === null) throw internalError("engine worker started as a main thread");
const port = parentPort;
const runtime = new Runtime();

async function answer(request: Request): Promise<readonly [unknown, ArrayBuffer[]]> {
  switch (request.call) {
    case "openPrograms":
      return [await runtime.openPrograms(...request.args), []];
    case "openFile":
      return [await runtime.openFile(...request.args), []];
    case "run": {
      const outputs = await runtime.run(...request.args);
      return [outputs, buffersOf(outputs)];
    }
    case "read": {
      const state = runtime.read(...request.args);
      return [state, buffersOf(state)];
    }
    case "write":
      return [runtime.write(...request.args), []];
    case "close":
      return [await runtime.close(), []];
  }
}

let last: Promise<void> = Promise.resolve();
port.on("message", (request: Request) => {
  last = last.then(async () => {
    try {
      const [result, transfer] = await answer(request);
      port.postMessage({ id: request.id, result } satisfies Reply, transfer);
    } catch (error) {
      port.postMessage({ id: request.id, failure: toFailure(error) } satisfies Reply);
    }
  });
});
