import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";

/** A line longer than this is no record that anybody wrote. */
const MAX_LINE = 128 * 2 ** 20;

export type JsonLine =
  { readonly line: number; readonly value: unknown } | { readonly line: number; readonly problem: string };

/**
 * The records of a JSON Lines file, unpacked if it ends in `.gz`. A line that is no JSON gives a problem; the lines after
 * it are there all the same.
 *
 * @throws for an unreadable file, or at the place where its compressed data are broken or end early
 */
export async function* jsonLines(path: string): AsyncGenerator<JsonLine> {
  let number = 0;
  for await (const line of lines(open(path))) {
    number += 1;
    if (line === undefined) yield { line: number, problem: `longer than ${MAX_LINE} bytes` };
    else {
      const text = line.toString("utf8").trim();
      if (text !== "") yield parse(text, number);
    }
  }
}

function parse(text: string, line: number): JsonLine {
  try {
    return { line, value: JSON.parse(text) as unknown };
  } catch {
    return { line, problem: `expected JSON, got ${text.slice(0, 40)}` };
  }
}

function open(path: string): AsyncIterable<Buffer> {
  const file = createReadStream(path, { highWaterMark: 2 ** 18 });
  if (!path.endsWith(".gz")) return file as AsyncIterable<Buffer>;
  const plain = createGunzip({ chunkSize: 2 ** 18 });
  pipeline(file, plain, () => undefined); // Its errors come out of the iteration.
  return plain as AsyncIterable<Buffer>;
}

/** Undefined stands for a line that is too long. */
async function* lines(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer | undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer): void => {
    length += part.length;
    if (length <= MAX_LINE) parts.push(part);
    else parts = [];
  };
  const take = (): Buffer | undefined => {
    const line = length > MAX_LINE ? undefined : Buffer.concat(parts);
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      add(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    add(chunk.subarray(start));
  }
  if (length > 0) yield take();
}
