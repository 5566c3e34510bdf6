import { parentPort, workerData } from "node:worker_threads";
import { internalError, messageOf } from "../../base/index.js";
import { examine } from "./_examine.js";
import { Exclusion } from "./_exclusion.js";
import { encodePart } from "./_part.js";
import type { WorkerData, WorkerReply, WorkerTask } from "./_pool.js";

/** A thread that examines batches. Says how far it is by writing the current item's place into shared memory. */
const { options, exclusion: data, state } = workerData as WorkerData;
const port = parentPort;
if (port === null) throw internalError("the worker of the corpus pipeline runs in a thread");
const exclusion = new Exclusion(data);
const place = new Int32Array(state);

port.on("message", (task: WorkerTask) => {
  void run(task).then((reply) => port.postMessage(reply, "part" in reply ? [reply.part.buffer as ArrayBuffer] : []));
});

async function run({ batch, poison }: WorkerTask): Promise<WorkerReply> {
  try {
    const examined = await examine(batch, options, exclusion, (item) => Atomics.store(place, 0, item), new Map(poison));
    Atomics.store(place, 0, -1);
    const part = encodePart(examined);
    return { part: part.byteLength === part.buffer.byteLength ? part : part.slice(), pairs: examined.pairs.length };
  } catch (error) {
    return { error: messageOf(error), stack: error instanceof Error ? (error.stack ?? "") : "" };
  }
}
