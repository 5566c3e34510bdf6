#!/usr/bin/env node
import { createRequire } from "node:module";
import { errnoOf, messageOf, UserError, writeError } from "../base/index.js";
import type { Context } from "./command.js";
import { dispatch } from "./_dispatch.js";
import { INTERRUPTED, interruptible } from "./_interrupt.js";
import { decodeUtf8 } from "./_sources.js";
import { ProgressDisplay } from "./terminal.js";

/** The only file that reads standard input, prints errors and decides the exit code. */
async function main(): Promise<number> {
  const display = new ProgressDisplay(process.stderr);
  const signal = interruptible(display.line);
  const context: Context = { signal, progress: display.show, say: display.line, print, colour: hasColour(), readInput };
  try {
    await dispatch(process.argv.slice(2), version(), context);
    display.end();
    return signal.aborted ? INTERRUPTED : 0;
  } catch (error) {
    display.end();
    if (signal.aborted && error instanceof Error && error.name === "AbortError") return INTERRUPTED;
    if (errnoOf(error) === "EPIPE") return 0; // The reader has seen enough: `lodestone search ... | head -1`.
    if (error instanceof UserError) display.line(`lodestone: ${oneLine(error.toLine())}`);
    else display.line(`lodestone: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`);
    return error instanceof UserError ? 2 : 1;
  }
}

/** By https://no-color.org and what the terminal says of itself. */
function hasColour(): boolean {
  const { NO_COLOR, TERM } = process.env;
  return process.stdout.isTTY === true && TERM !== "dumb" && (NO_COLOR === undefined || NO_COLOR === "");
}

function version(): string {
  return (createRequire(import.meta.url)("../../package.json") as { version: string }).version;
}

function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(errnoOf(error) === "EPIPE" ? error : writeError("standard output", error));
    });
  });
}

async function readInput(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write("lodestone: reading a text from the keyboard; end it with Ctrl-D\n");
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) pieces.push(piece as Buffer);
  return decodeUtf8(Buffer.concat(pieces), "standard input");
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ");
}

// Errors of the stream itself arrive at `print`; without a listener they would end the process with a stack.
process.stdout.on("error", () => undefined);
process.exit(await main());
