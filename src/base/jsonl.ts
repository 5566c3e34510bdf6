import { createReadStream } from "node:fs";
import { errnoOf, messageOf, UserError } from "./errors.js";
import { AtomicFile } from "./files.js";

/**
 * Yields the parsed lines of a JSON Lines stream in order; blank lines are passed over.
 *
 * @throws UserError `jsonl.invalid` with the 1-based line number, `jsonl.encoding`
 */
export async function* parseJsonl(source: AsyncIterable<Uint8Array | string>, where: string): AsyncGenerator<unknown> {
  let number = 0;
  for await (const line of lines(source, where)) {
    number += 1;
    if (line.trim() === "") continue;
    try {
      yield JSON.parse(line);
    } catch (error) {
      throw new UserError(
        "jsonl.invalid",
        `${where}:${number}: expected one JSON value a line, got ${JSON.stringify(line.slice(0, 60))}`,
        {
          fix: "Correct or remove that line",
          cause: error,
        },
      );
    }
  }
}

/** {@link parseJsonl} over a file. @throws UserError `input.unreadable` too */
export function readJsonl(path: string): AsyncGenerator<unknown> {
  return parseJsonl(chunks(path), path);
}

async function* chunks(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk as Uint8Array;
  } catch (error) {
    throw new UserError(
      "input.unreadable",
      `${path}: expected a readable file, got ${errnoOf(error) ?? messageOf(error)}`,
      {
        fix: "Check the path",
        cause: error,
      },
    );
  }
}

/** Writes values as JSON Lines, atomically. Returns the number written. */
export async function writeJsonl(path: string, values: AsyncIterable<unknown> | Iterable<unknown>): Promise<number> {
  const file = await AtomicFile.create(path);
  let count = 0;
  try {
    let pending: string[] = [];
    let size = 0;
    for await (const value of values) {
      const line = `${JSON.stringify(value)}\n`;
      pending.push(line);
      size += line.length;
      count += 1;
      if (size > 2 ** 20) {
        await file.write(Buffer.from(pending.join("")));
        pending = [];
        size = 0;
      }
    }
    await file.write(Buffer.from(pending.join("")));
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
  return count;
}

async function* lines(source: AsyncIterable<Uint8Array | string>, where: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let number = 0;
  const decode = (chunk?: Uint8Array): string => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch (error) {
      throw new UserError("jsonl.encoding", `${where}: expected UTF-8 text, got other bytes after line ${number}`, {
        fix: "Convert it, for example with iconv -t UTF-8",
        cause: error,
      });
    }
  };
  let parts: string[] = []; // Pieces of one line, joined once: a 50 MB line must not cost quadratic time.
  for await (const chunk of source) {
    const text = typeof chunk === "string" ? chunk : decode(chunk);
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      parts.push(text.slice(start, end));
      number += 1;
      yield parts.join("");
      parts = [];
      start = end + 1;
    }
    if (start < text.length) parts.push(text.slice(start));
  }
  parts.push(decode());
  const rest = parts.join("");
  if (rest !== "") yield rest;
}
