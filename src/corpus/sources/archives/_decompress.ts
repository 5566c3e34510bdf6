import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Decompress as ZstdDecompress } from "fzstd";
import unbzip2 from "unbzip2-stream";
import xz from "xz-decompress";
import { hasClient, unpackWithClient } from "./_client.js";
import type { Compression } from "./_format.js";
import type { Budget } from "./limits.js";

type Bytes = AsyncIterable<Uint8Array>;

/**
 * Unpacks a stream as it is read, never more than a few megabytes ahead of the reader, within the limits on size and
 * ratio. `xz` and `bzip2` are used where the machine has them, being several times as fast; WebAssembly and JavaScript
 * where not.
 *
 * @throws ArchiveProblem `archive-bomb`; the decompressor's own error for broken or truncated data
 */
export async function* decompress(source: Bytes, compression: Compression, budget: Budget): AsyncGenerator<Uint8Array> {
  let packed = 0;
  let unpacked = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      packed += chunk.length;
      yield chunk;
    }
  }
  const check = (count: number): void => {
    unpacked += count;
    budget.spendBytes(count);
    if (compression !== "none") budget.checkRatio(packed, unpacked);
  };
  for await (const chunk of unpack(counted(), compression, check)) yield chunk;
  if (unpacked === 0) throw new Error("unexpected end of data");
}

async function* unpack(
  source: Bytes,
  compression: Compression,
  check: (count: number) => void,
): AsyncGenerator<Uint8Array> {
  const chunks = await plain(source, compression);
  if (chunks === undefined) {
    // These two hand out many blocks within one call: what comes out is counted there.
    yield* compression === "bz2" ? bunzip2(source, check) : unzstd(source, check);
    return;
  }
  for await (const chunk of chunks) {
    check(chunk.length);
    yield chunk;
  }
}

/** Undefined for what is unpacked by a library without back-pressure. */
async function plain(source: Bytes, compression: Compression): Promise<Bytes | undefined> {
  if (compression === "none") return source;
  if (compression === "gz") return gunzip(source);
  if (compression === "xz") return (await hasClient("xz")) ? unpackWithClient("xz", source) : unxz(source);
  if (compression === "bz2" && (await hasClient("bzip2"))) return unpackWithClient("bzip2", source);
  return undefined;
}

function gunzip(source: Bytes): Bytes {
  const gunzipped = createGunzip({ chunkSize: 65_536 });
  pipeline(Readable.from(source), gunzipped, () => undefined); // Its errors come out of the iteration.
  return gunzipped as Bytes;
}

async function* unxz(source: Bytes): AsyncGenerator<Uint8Array> {
  const input = Readable.from(source);
  const stream = new xz.XzReadableStream(Readable.toWeb(input) as unknown as ReadableStream<Uint8Array>);
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = (await reader.read()) as { done: boolean; value?: Uint8Array };
      if (done || value === undefined) return;
      yield value.slice(); // What it hands out is its own memory.
    }
  } finally {
    input.destroy();
  }
}

async function* bunzip2(source: Bytes, check: (count: number) => void): AsyncGenerator<Uint8Array> {
  const stream = unbzip2() as NodeJS.ReadWriteStream;
  const out: Uint8Array[] = [];
  let problem: unknown;
  stream.on("data", (chunk: Uint8Array) => {
    if (problem !== undefined) return;
    out.push(chunk);
    try {
      check(chunk.length);
    } catch (error) {
      problem = error;
      throw error; // Ends the loop over blocks inside.
    }
  });
  stream.on("error", (error: unknown) => (problem ??= error));
  function* flush(): Generator<Uint8Array> {
    if (problem !== undefined) throw problem instanceof Error ? problem : new Error("broken bzip2 data");
    yield* out.splice(0);
  }
  for await (const chunk of slices(source, 16_384)) {
    stream.write(chunk as Buffer);
    yield* flush();
  }
  stream.end();
  yield* flush();
}

/** Data that end early are not told as such by the library: it shows in the tar archive that they hold. */
async function* unzstd(source: Bytes, check: (count: number) => void): AsyncGenerator<Uint8Array> {
  const out: Uint8Array[] = [];
  const stream = new ZstdDecompress((chunk) => {
    check(chunk.length);
    out.push(chunk);
  });
  for await (const chunk of slices(source, 1024)) {
    stream.push(chunk);
    yield* out.splice(0);
  }
}

async function* slices(source: Bytes, size: number): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; at += size) yield chunk.subarray(at, at + size);
  }
}
