import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf, ProgressMeter, UserError, writeError, type ProgressListener } from "../base/index.js";
import { LINE_MARK, trainedJson, untrainedJson, type CutOptions } from "./_format.js";
import type { TrainedMerges, TrainJob } from "./_train-child.js";
import { Tokenizer } from "./tokenizer.js";

export interface TrainTokenizerOptions extends Partial<CutOptions> {
  /** Tokens in all: 3 special ones, the 256 bytes, and merges. */
  readonly vocabSize: number;
  /** A pair seen less often is not merged. 2 by default. */
  readonly minFrequency?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
}

const FIXED_TOKENS = 3 + 256;

/**
 * Trains a byte-level BPE tokenizer (Sennrich et al. 2016; bytes as in GPT-2) with Hugging Face's library. The same texts
 * in the same order give the same file, byte for byte.
 *
 * The library's binding fixes its trainer at 30,000 tokens, draws a progress bar of its own, blocks the thread and reads
 * files line by line. So the texts go to a temporary file, one a line, and a child process trains on it; special tokens,
 * the bytes that the text does not hold, the size and the minimal frequency are put into the saved file afterwards, which
 * works because its merges are ordered by frequency.
 *
 * @throws UserError `tokenizer.vocabulary` when the text gives fewer tokens than asked for; `tokenizer.no-text`,
 * `tokenizer.training`, `output.full`; the signal's reason when aborted
 */
export async function trainTokenizer(
  texts: AsyncIterable<string> | Iterable<string>,
  options: TrainTokenizerOptions,
): Promise<Tokenizer> {
  const { vocabSize, minFrequency = 2, signal } = options;
  const cut: CutOptions = {
    splitIdentifiers: options.splitIdentifiers ?? false,
    lowercase: options.lowercase ?? false,
    whitespace: options.whitespace ?? "attach",
  };
  if (!Number.isInteger(vocabSize) || vocabSize < FIXED_TOKENS) {
    throw new UserError(
      "tokenizer.vocabulary",
      `tokenizer: expected a vocabulary of at least ${FIXED_TOKENS} tokens, got ${vocabSize}`,
      { fix: "Ask for more: 3 special tokens and the 256 bytes are always in it" },
    );
  }
  const folder = await mkdtemp(join(tmpdir(), "lodestone-tokenizer-"));
  try {
    const meter = new ProgressMeter("tokenizer", "bytes", undefined, options.onProgress);
    const bytes = await writeLines(join(folder, "texts"), texts, meter, signal);
    if (bytes === 0) {
      throw new UserError("tokenizer.no-text", "tokenizer: expected text to train on, got none", {
        fix: "Give a corpus with at least one document",
      });
    }
    const job: TrainJob = {
      untrained: JSON.stringify(untrainedJson(cut)),
      texts: join(folder, "texts"),
      output: join(folder, "merges.json"),
      newTokens: vocabSize - FIXED_TOKENS,
      minFrequency,
    };
    await runChild(job, signal);
    meter.update(bytes, "trained", bytes);
    const { merges, available } = JSON.parse(await readFile(job.output, "utf8")) as TrainedMerges;
    if (FIXED_TOKENS + available < vocabSize) throw tooFew(vocabSize, FIXED_TOKENS + available, minFrequency);
    return new Tokenizer(JSON.stringify(trainedJson(cut, merges)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function tooFew(asked: number, available: number, minFrequency: number): UserError {
  return new UserError(
    "tokenizer.vocabulary",
    `tokenizer: expected text for ${asked} tokens, got enough for ${available} ` +
      `(pairs seen at least ${minFrequency} times, and at most about 30,000 tokens)`,
    { fix: `Ask for at most ${available}, give more text, or load a larger tokenizer.json made elsewhere` },
  );
}

/** One text a line. Returns the bytes written. */
async function writeLines(
  path: string,
  texts: AsyncIterable<string> | Iterable<string>,
  meter: ProgressMeter,
  signal: AbortSignal | undefined,
): Promise<number> {
  let bytes = 0;
  try {
    const file = await open(path, "w");
    try {
      let pending: string[] = [];
      let size = 0;
      const flush = async (): Promise<void> => {
        const data = Buffer.from(pending.join(""), "utf8");
        for (let at = 0; at < data.length;) at += (await file.write(data, at)).bytesWritten;
        bytes += data.length;
        pending = [];
        size = 0;
        meter.update(bytes, "reading");
      };
      for await (const text of texts) {
        signal?.throwIfAborted();
        if (text === "") continue;
        pending.push(text.replaceAll("\n", LINE_MARK), "\n");
        size += text.length;
        if (size > 2 ** 22) await flush();
      }
      await flush();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw writeError(path, error);
  }
  return bytes;
}

function runChild(job: TrainJob, signal: AbortSignal | undefined): Promise<void> {
  const built = fileURLToPath(new URL("./_train-child.js", import.meta.url));
  const isBuilt = existsSync(built);
  const child = fork(isBuilt ? built : built.replace(/\.js$/, ".ts"), {
    cwd: dirname(built),
    execArgv: isBuilt ? [] : ["--import", "tsx"],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  return new Promise((resolve, reject) => {
    let failure: string | undefined;
    const abort = (): void => void child.kill("SIGKILL");
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
    child.on("message", (message) => (failure = String(message)));
    child.on("error", reject);
    child.on("exit", (code, killedBy) => {
      signal?.removeEventListener("abort", abort);
      if (code === 0) resolve();
      else if (signal?.aborted === true) reject(signal.reason as Error);
      else {
        const how = failure ?? (killedBy === null ? `it ended with ${code}` : `it was stopped by ${killedBy}`);
        reject(
          new UserError("tokenizer.training", `tokenizer: expected the training process to finish, but ${how}`, {
            fix: "Free some memory or give less text, then run again",
          }),
        );
      }
    });
    child.send(job, (error) => {
      if (error !== null) failure ??= messageOf(error);
    });
  });
}
