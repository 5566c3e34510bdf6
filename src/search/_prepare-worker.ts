import { parentPort, workerData } from "node:worker_threads";
import { internalError } from "../base/index.js";
import { tierModel } from "./_models.js";
import { packChunks, type PackedChunks } from "./_packed-chunks.js";
import { prepareFiles, type CutFile, type CutTimes } from "./_prepare.js";
import { WordScanner } from "./text/words.js";

/** What a thread of `Preparer` starts with: the static encoder's folder and hash. */
export interface PrepareWorkerData {
  readonly model: { readonly folder: string; readonly hash: string } | undefined;
}
export interface PrepareRequest {
  readonly id: number;
  readonly files: readonly CutFile[];
}
/** `ready` comes first. A batch that fails is done again, and fails, in the thread that asked: errors need no way of their own. */
export type PrepareReply =
  | { readonly ready: true }
  | { readonly id: number; readonly packed: PackedChunks; readonly times: CutTimes }
  | { readonly id: number; readonly failed: true };

const port = parentPort;
if (port === null) throw internalError("the worker of the indexing runs in a thread");
const { model: given } = workerData as PrepareWorkerData;
const model = given === undefined ? undefined : await tierModel(given.folder);
if (model !== undefined && model.info.hash !== given!.hash) throw internalError("the encoder changed meanwhile");
const encoder = await model?.open();
const scanner = new WordScanner();
let before: Promise<void> = Promise.resolve();

port.on("message", (request: PrepareRequest) => {
  before = before.then(() => answer(request));
});
port.postMessage({ ready: true } satisfies PrepareReply);

async function answer({ id, files }: PrepareRequest): Promise<void> {
  try {
    const { chunks, times } = await prepareFiles(files, { scanner, encoder });
    const packed = packChunks(chunks);
    const { perFile, numbers, wordOf, counts, vectors } = packed;
    const buffers = [perFile, numbers, wordOf, counts, vectors].map(({ buffer }) => buffer);
    port!.postMessage({ id, packed, times } satisfies PrepareReply, buffers);
  } catch {
    port!.postMessage({ id, failed: true } satisfies PrepareReply);
  }
}
