import { fileURLToPath } from "node:url";

/** This room's folder: frames in it are ours, not the user's. */
const ROOM = fileURLToPath(new URL(".", import.meta.url));
const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const FRAME = /(?:\(|at )((?:file:\/\/)?[^()\s]+):(\d+):\d+\)?$/;

/** Captures the stack now; formatting it, which is the slow part, waits until somebody asks. */
export function captureLocation(): () => string {
  const previous = Error.stackTraceLimit;
  Error.stackTraceLimit = 12;
  const trace = new Error();
  Error.stackTraceLimit = previous;
  return () => locationOf(trace.stack ?? "");
}

/** `model/block.ts:31`: the innermost frame outside src/graph (tests of this room count as outside). */
export function locationOf(stack: string): string {
  for (const line of stack.split("\n")) {
    const match = FRAME.exec(line);
    if (match?.[1] === undefined) continue;
    const path = match[1].startsWith("file://") ? fileURLToPath(match[1].replace(/\?.*$/, "")) : match[1];
    if (path.startsWith("node:") || (path.startsWith(ROOM) && !path.includes(".test."))) continue;
    return `${shorten(path)}:${match[2]}`;
  }
  return "unknown";
}

/** Paths of this package lose everything up to `src/` or `dist/`, others all but their last two parts. */
function shorten(path: string): string {
  if (path.startsWith(PACKAGE)) return path.slice(PACKAGE.length);
  return path.split("/").slice(-2).join("/");
}
