import { expect, test } from "vitest";
import { run } from "../../test/helpers/cli.js";

/** A native run of seconds under our signal handler, in a process of its own. */
const BUSY = `
import { zeros } from "./src/base/index.js";
import { interruptible } from "./src/cli/_interrupt.js";
import { createEngine } from "./src/engine/index.js";
import { Graph, matmul, reduceMean } from "./src/graph/index.js";
const graph = new Graph("busy");
const x = graph.input("x", "float32", [2048, 2048]);
let y = x;
for (let product = 0; product < 40; product++) y = matmul(y, x);
graph.output("y", reduceMean(y));
const session = await createEngine("onnxruntime").open({ busy: graph }, {}, { threads: 1 });
interruptible((line) => console.error(line));
const running = session.run("busy", { x: zeros("float32", [2048, 2048]) });
setTimeout(() => console.error("busy"), 200);
await running;
console.error("ran to its end");
`;

test.each(["SIGINT", "SIGTERM"] as const)(
  "a second %s ends a process in the middle of a native run, quietly",
  async (signal) => {
    let sent = 0;
    const args = ["--import", "tsx", "--input-type=module", "-e", BUSY];
    const ended = await run(process.execPath, args, {
      onStderr: (text, kill) => {
        if (sent === 0 && text.includes("busy")) sent = 1;
        else if (sent === 1 && text.includes("again to stop at once")) sent = 2;
        else return;
        kill(signal);
      },
    });
    expect(sent).toBe(2);
    expect(ended.code).toBeNull(); // A signal ended it.
    expect(ended.stderr).toBe("busy\nstopping after the work in hand; press Ctrl-C again to stop at once\n");
  },
);
