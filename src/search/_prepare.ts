import crypto from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Embedder } from "../encoder/index.js";
import { chunkText } from "./chunks/chunk-file.js";
import type { FileType } from "./chunks/grammars.js";
import type { Chunk } from "./chunks/types.js";
import type { NewChunk } from "./store/store.js";
import type { WordScanner } from "./text/words.js";

/** A file whose text is to be cut. */
export interface CutFile {
  readonly path: string;
  readonly text: string;
  readonly type: FileType;
}

/** Milliseconds of one thread. */
export interface CutTimes {
  parse: number;
  words: number;
  embed: number;
}

export interface PrepareOptions {
  readonly scanner: WordScanner;
  /** Without it chunks get no vectors. */
  readonly encoder: Embedder | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called between files: where others get a turn. */
  readonly between?: () => Promise<void>;
}

type Prepared = NewChunk & { vectors: { static?: Float32Array } };

/**
 * Cuts files, counts their words and embeds them: the chunks of each file. A chunk depends on its own file alone, so that it
 * does not matter which files are done together, or by which thread.
 */
export async function prepareFiles(
  files: readonly CutFile[],
  options: PrepareOptions,
): Promise<{ chunks: NewChunk[][]; times: CutTimes }> {
  const { scanner, encoder, signal, between } = options;
  const times = { parse: 0, words: 0, embed: 0 };
  const chunks: Prepared[][] = [];
  const texts: string[] = [];
  let start = performance.now();
  const lap = (name: keyof CutTimes): void => {
    const now = performance.now();
    times[name] += now - start;
    start = now;
  };
  for (const { path, text, type } of files) {
    await between?.();
    start = performance.now();
    const cut = await chunkText(text, type);
    lap("parse");
    const own: Prepared[] = [];
    for (const chunk of cut) {
      const embedded = embeddedText(path, chunk);
      own.push(prepared(path, chunk, hashOf(embedded), scanner));
      texts.push(embedded);
    }
    chunks.push(own);
    lap("words");
  }
  if (encoder !== undefined) {
    const vectors = await encoder.embedAll(texts, signal === undefined ? {} : { signal });
    let at = 0;
    for (const chunk of chunks.flat()) chunk.vectors.static = vectors.subarray(at, (at += encoder.dim));
    lap("embed");
  }
  return { chunks, times };
}

/** A pause every 30 ms: Ctrl-C, progress, and queries on the old generation. @throws the signal's reason */
export function breaths(signal: AbortSignal | undefined): () => Promise<void> {
  let last = performance.now();
  return async () => {
    signal?.throwIfAborted();
    if (performance.now() - last <= 30) return;
    await setImmediate();
    last = performance.now();
  };
}

/** What a chunk's vector is made from: where it is, what it is called, and its text. */
export function embeddedText(path: string, { scope, name, text }: Pick<Chunk, "scope" | "name" | "text">): string {
  const file = path.slice(path.lastIndexOf("/") + 1).replace(/\.[^.]+$/, "");
  return `${file} ${scope.join(" ")} ${text.includes(name) ? "" : name}\n${text}`;
}

/** Names a chunk by what is embedded. */
export function hashOf(text: string): string {
  return sha1(text).slice(0, 16);
}

/** In one call where Node has it (20.12): half the time of a hash object for such short texts. */
const sha1: (text: string) => string =
  (crypto as Partial<typeof crypto>).hash === undefined
    ? (text) => crypto.createHash("sha1").update(text).digest("base64url")
    : (text) => crypto.hash("sha1", text, "base64url");

function prepared(
  path: string,
  { kind, startLine, endLine, name, scope, text }: Chunk,
  hash: string,
  scanner: WordScanner,
): Prepared {
  const slash = path.lastIndexOf("/");
  const { words, counts, length } = scanner.count([
    [text, 1],
    [name, 3],
    [scope.join(" "), 1],
    [path.slice(slash + 1), 2],
    [path.slice(0, Math.max(0, slash)), 1],
  ]);
  return { kind, startLine, endLine, name, scope, hash, words, counts, length, vectors: {} };
}
