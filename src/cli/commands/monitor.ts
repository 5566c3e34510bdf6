import { wholeNumber } from "../_arguments.js";
import { untilAborted } from "../_interrupt.js";
import { command } from "../command.js";

export const monitor = command({
  name: "monitor",
  description:
    "Serves a page with live curves of training runs: loss by objective, accuracy, learning rate, gradient norm, speed, " +
    "memory, time left. Works on a run that goes on, has ended, or is about to begin; several are compared",
  args: {
    runs: { type: "positional", description: "Run folders, as --out named them", required: true },
    port: { type: "string", valueHint: "N", description: "Port of 127.0.0.1 (default 8765; 0 for any free one)" },
  },
  variadic: true,
  examples: [
    { does: "One run", line: "lodestone monitor runs/one" },
    { does: "Two beside each other", line: "lodestone monitor runs/one runs/two --port 9000" },
  ],
  async run(args, { signal, say, print }) {
    const { startMonitor } = await import("../../server/index.js");
    const port = args.port === undefined ? 8765 : wholeNumber(args.port, "port", 0);
    const server = await startMonitor(args._.map(String), { port });
    await print(`${server.url}\n`);
    say("open this page in a browser; Ctrl-C ends it");
    await untilAborted(signal);
    await server.close();
  },
});
