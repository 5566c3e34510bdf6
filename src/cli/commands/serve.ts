import { wholeNumber } from "../_arguments.js";
import { untilAborted } from "../_interrupt.js";
import { command } from "../command.js";

export const serve = command({
  name: "serve",
  description:
    "Serves embeddings (OpenAI's and text-embeddings-inference's routes) and search over HTTP, with a page to search " +
    "from. This machine only, unless --host says otherwise. Writes a line of JSON to standard error for each request",
  args: {
    folders: { type: "positional", description: "Folders that may be searched", required: false },
    root: { type: "string", valueHint: "DIR", description: "Another way to name a folder" },
    model: { type: "string", valueHint: "DIR", description: "Folder of the encoder (default: the one of the package)" },
    "model-name": { type: "string", valueHint: "NAME", description: "What requests call it; the folder's name" },
    full: { type: "string", valueHint: "DIR", description: "Folder of a second, full encoder that refines the search" },
    rebuild: { type: "boolean", description: "Forget an index that was made with another encoder" },
    "keep-both": { type: "boolean", description: "Keep an index for each encoder" },
    host: { type: "string", valueHint: "ADDRESS", description: "Where to listen", default: "127.0.0.1" },
    port: { type: "string", valueHint: "N", description: "Port (0 for any free one)", default: "8766" },
    token: { type: "string", valueHint: "TEXT", description: "What clients must send; better: LODESTONE_TOKEN" },
    "allow-host": { type: "string", valueHint: "LIST", description: "Further names that requests may be addressed to" },
    "auto-truncate": { type: "boolean", description: "Cut texts that are too long instead of refusing them" },
    timeout: { type: "string", valueHint: "SECONDS", description: "Until a request is refused", default: "60" },
    "batch-tokens": { type: "string", valueHint: "N", description: "Tokens in one run of the model", default: "8192" },
    "queue-tokens": {
      type: "string",
      valueHint: "N",
      description: "Tokens that may wait; what comes on top is refused (429)",
      default: "1048576",
    },
    threads: { type: "string", valueHint: "N", description: "Threads of the engine" },
  },
  variadic: true,
  examples: [
    { does: "Search over two folders, and the page", line: "lodestone serve ~/src/app ~/src/lib" },
    { does: "Embeddings, too", line: "lodestone serve ~/src/app --model models/full --port 8080" },
  ],
  async run(args, { signal, say, print }) {
    const [{ startServe }, { modelChoice, readVersion, servedModels }] = await Promise.all([
      import("../../server/index.js"),
      import("../_serve.js"),
    ]);
    const token = args.token ?? process.env["LODESTONE_TOKEN"];
    const roots = [...(args.root === undefined ? [] : [args.root]), ...args._.map(String)];
    const { model, encoder } = await servedModels(args.model, args.full);
    const server = await startServe(
      {
        roots,
        encoder,
        onOtherModel: modelChoice("serve", args),
        version: readVersion(),
        log: (line) => say(JSON.stringify(line)),
        autoTruncate: args["auto-truncate"] === true,
        allowedHosts: (args["allow-host"] ?? "").split(",").filter((name) => name !== ""),
        ...(model === undefined ? {} : { model }),
        ...(args["model-name"] === undefined ? {} : { modelName: args["model-name"] }),
        ...(token === undefined || token === "" ? {} : { token }),
        ...(args.threads === undefined ? {} : { threads: wholeNumber(args.threads, "threads") }),
        limits: {
          timeoutSeconds: wholeNumber(args.timeout, "timeout"),
          batchTokens: wholeNumber(args["batch-tokens"], "batch-tokens"),
          queueTokens: wholeNumber(args["queue-tokens"], "queue-tokens"),
        },
      },
      { host: args.host, port: wholeNumber(args.port, "port", 0) },
    );
    await print(`${server.url}\n`);
    await untilAborted(signal);
    await server.close(30);
  },
});
