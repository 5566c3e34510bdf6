import { parentPort, workerData } from "node:worker_threads";
import { examine } from "../../src/corpus/pipeline/_examine.js";
import { Exclusion } from "../../src/corpus/pipeline/_exclusion.js";
import { encodePart } from "../../src/corpus/pipeline/_part.js";
import type { WorkerData, WorkerTask } from "../../src/corpus/pipeline/_pool.js";

// As the corpus pipeline's worker, but it ends at `crash.js`, hangs at `hang.js` and uses up its memory at `memory.js`.
const { options, exclusion, state } = workerData as WorkerData;
const place = new Int32Array(state);
const hoard: number[][] = [];

parentPort!.on("message", ({ batch, poison }: WorkerTask) => {
  const at = (item: number): void => {
    Atomics.store(place, 0, item);
    if (poison.some(([known]) => known === item)) return;
    const path = batch.items[item]?.path;
    if (path === "crash.js") process.exit(3);
    if (path === "hang.js") for (;;);
    if (path === "memory.js") for (;;) hoard.push(new Array<number>(1e6).fill(hoard.length));
  };
  void examine(batch, options, new Exclusion(exclusion), at, new Map(poison)).then((examined) => {
    Atomics.store(place, 0, -1);
    parentPort!.postMessage({ part: encodePart(examined).slice(), pairs: examined.pairs.length });
  });
});
