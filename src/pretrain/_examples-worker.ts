import { parentPort, workerData } from "node:worker_threads";
import { messageOf, Rng, UserError } from "../base/index.js";
import { Tokenizer } from "../tokenizer/index.js";
import type { ExamplesReply, ExamplesRequest, ExamplesWorkerData } from "./_examples-protocol.js";
import { identifiersByLanguage } from "./_identifiers.js";
import { ExampleMaker, type OpenedExample } from "./examples.js";

const { tokenizer, masking, share, rng, cacheTokens } = workerData as ExamplesWorkerData;
const maker = new ExampleMaker({
  tokenizer: new Tokenizer(tokenizer.source, tokenizer.special),
  identifiers: identifiersByLanguage,
  masking,
  share,
  rng: Rng.fromState(rng),
  ...(cacheTokens === undefined ? {} : { cacheTokens }),
});

async function answer({ id, tasks }: ExamplesRequest): Promise<void> {
  try {
    const examples: (OpenedExample | undefined)[] = [];
    for (const task of tasks) examples.push(await maker.make(task));
    const buffers = examples.flatMap((example) =>
      example === undefined ? [] : [example.input.buffer as ArrayBuffer, example.labels.buffer as ArrayBuffer],
    );
    parentPort!.postMessage({ id, examples } satisfies ExamplesReply, buffers);
  } catch (error) {
    const told = error instanceof UserError ? { code: error.code, fix: error.fix } : {};
    parentPort!.postMessage({ id, error: { message: messageOf(error), ...told } } as ExamplesReply);
  }
}

// One request after the other: answers keep the order of the requests.
let last = Promise.resolve();
parentPort!.on("message", (request: ExamplesRequest) => {
  last = last.then(() => answer(request));
});
