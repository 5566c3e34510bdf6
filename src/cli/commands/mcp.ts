import { wholeNumber } from "../_arguments.js";
import { untilAborted } from "../_interrupt.js";
import { command } from "../command.js";

export const mcp = command({
  name: "mcp",
  description:
    "Gives coding agents and editors the search, by the Model Context Protocol: tools search, find_related, index_status " +
    "and reindex. Over standard input and output, or over HTTP with --http",
  args: {
    folders: { type: "positional", description: "Folders that may be searched (default: this one)", required: false },
    root: { type: "string", valueHint: "DIR", description: "Another way to name a folder" },
    model: { type: "string", valueHint: "DIR", description: "Folder of the encoder (default: the one of the package)" },
    full: { type: "string", valueHint: "DIR", description: "Folder of a second, full encoder that refines" },
    rebuild: { type: "boolean", description: "Forget an index that was made with another encoder" },
    "keep-both": { type: "boolean", description: "Keep an index for each encoder" },
    http: { type: "boolean", description: "Streamable HTTP instead of standard input and output" },
    port: { type: "string", valueHint: "N", description: "Port of 127.0.0.1 (0 for any free one)", default: "8767" },
    threads: { type: "string", valueHint: "N", description: "Threads of the engine" },
  },
  variadic: true,
  examples: [
    { does: "As an agent starts it", line: "lodestone mcp ~/src/app" },
    { does: "For several agents at once", line: "lodestone mcp ~/src/app --http --port 8767" },
  ],
  async run(args, { signal, say, print }) {
    const [{ serveMcp, startMcp }, { modelChoice, readVersion, servedModels }] = await Promise.all([
      import("../../server/index.js"),
      import("../_serve.js"),
    ]);
    const named = [...(args.root === undefined ? [] : [args.root]), ...args._.map(String)];
    const options = {
      roots: named.length === 0 ? ["."] : named,
      encoder: (await servedModels(args.model, args.full)).encoder,
      onOtherModel: modelChoice("mcp", args),
      version: readVersion(),
      ...(args.threads === undefined ? {} : { threads: wholeNumber(args.threads, "threads") }),
    };
    if (args.http !== true) return serveMcp(options, { input: process.stdin, output: process.stdout, signal });
    const token = process.env["LODESTONE_TOKEN"] ?? "";
    const server = await startMcp(
      { ...options, ...(token === "" ? {} : { token }) },
      { port: wholeNumber(args.port, "port", 0) },
    );
    await print(`${server.url}\n`);
    say("agents connect to this address; Ctrl-C ends it");
    await untilAborted(signal);
    await server.close();
  },
});
