import { allOf, toSpdx, UNKNOWN } from "./expression.js";

/** How far into a file its header is looked for, in bytes. */
const HEADER = 4096;

/**
 * What a file's own `SPDX-License-Identifier` lines say, all of them together; undefined if it has none, or none that
 * is an SPDX expression.
 *
 * Read from the first {@link HEADER} bytes, as Latin-1: the tag and all identifiers are ASCII.
 */
export function headerLicence(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEADER)).toString("latin1");
  if (!head.includes("SPDX-License-Identifier")) return undefined;
  const said: string[] = [];
  for (const [, value] of head.matchAll(/SPDX-License-Identifier:[ \t]*([^\r\n]*)/g)) {
    // What closes a comment around it is no part of it.
    const expression = toSpdx(value!.replace(/\s*(\*\/|-->|#\}|\*\)|"""|''').*$/, "").replace(/[\s*#;"'.,]+$/, ""));
    if (expression !== UNKNOWN) said.push(expression);
  }
  return said.length === 0 ? undefined : allOf(said);
}
