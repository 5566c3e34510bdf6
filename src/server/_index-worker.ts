import { parentPort } from "node:worker_threads";
import { internalError } from "../base/index.js";
import { openIndex, type OpenIndexOptions, type SearchIndex, type SearchOptions } from "../search/index.js";
import { failureOf, type IndexReply, type IndexRequest } from "./_index-calls.js";

/** The thread of `IndexThread`: holds indexes by number and answers about them. */
const port = parentPort;
if (port === null) throw internalError("the worker of the indexes runs in a thread");
/** Being opened, too: a question that follows at once waits for its index. */
const indexes = new Map<number, Promise<SearchIndex>>();
const running = new Map<number, AbortController>();
const say = (reply: IndexReply): void => port.postMessage(reply);

port.on("message", (request: IndexRequest) => {
  if ("leave" in request) running.get(request.leave)?.abort();
  else void answer(request);
});

async function answer(request: Exclude<IndexRequest, { leave: number }>): Promise<void> {
  const { id } = request;
  const stop = new AbortController();
  running.set(id, stop);
  try {
    say({ id, result: await run(request, stop.signal) });
  } catch (error) {
    say({ id, failure: failureOf(error) });
  } finally {
    running.delete(id);
  }
}

async function run(
  { index: number, call, args }: Exclude<IndexRequest, { leave: number }>,
  signal: AbortSignal,
): Promise<unknown> {
  if (call === "open") {
    const [root, options] = args as [string, OpenIndexOptions];
    const onProgress: NonNullable<OpenIndexOptions["onProgress"]> = (event) => say({ index: number, event });
    const opening = openIndex(root, { ...options, onProgress });
    indexes.set(number, opening);
    return { hasFull: (await opening).hasFull };
  }
  const index = await indexes.get(number);
  if (index === undefined) throw internalError(`there is no index ${number}`);
  switch (call) {
    case "warm":
      await index.warm();
      return null;
    case "search": {
      const [query, options] = args as [string, SearchOptions];
      return index.search(query, { ...options, signal });
    }
    case "related": {
      const [path, line, options] = args as [string, number, SearchOptions];
      return index.related(path, line, { ...options, signal });
    }
    case "refresh":
      await index.refresh("wait", signal);
      return index.status();
    case "refine":
      for await (const step of index.refine({ signal })) void step;
      return null;
    case "status":
      return index.status();
    case "close":
      indexes.delete(number);
      await index.close();
      return null;
  }
}
