import { open, stat } from "node:fs/promises";
import { LANGUAGES, messageOf, UserError, type Language } from "../base/index.js";
import { languageOfPath, parseLanguage } from "../languages/index.js";

const LARGEST = 10_000_000;

/**
 * Reads one source file that was named on the command line.
 *
 * @throws UserError `input.unreadable`, `input.too-large` (above 10 MB), `input.encoding`
 */
export async function readSource(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    const { size } = await stat(path);
    if (size > LARGEST) {
      throw new UserError("input.too-large", `${path}: expected a source file of at most 10 MB, got ${size} bytes`, {
        fix: "Split the file",
      });
    }
    const handle = await open(path, "r");
    try {
      bytes = await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError("input.unreadable", `${path}: expected a readable file, got ${messageOf(error)}`, {
      fix: "Check the path",
      cause: error,
    });
  }
  return decodeUtf8(bytes, path);
}

/**
 * The language of a file that was named on the command line: the one that was said, or that of its ending.
 *
 * @throws UserError `arguments.value`
 */
export function languageOf(file: string, said: string | undefined): Language {
  const lang = said === undefined ? languageOfPath(file) : parseLanguage(said);
  if (lang !== undefined) return lang;
  const what =
    file === "-" ? "standard input: expected its language" : `${file}: expected an ending of a known language`;
  throw new UserError("arguments.value", `${what}, got ${file === "-" ? "none" : "another"}`, {
    fix: `Name it with --lang, one of ${LANGUAGES.join(", ")}`,
  });
}

/** Bytes as text; a byte order mark is dropped. @throws UserError `input.encoding` */
export function decodeUtf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserError("input.encoding", `${where}: expected UTF-8 text, got other bytes`, {
      fix: "Convert it, for example with iconv -t UTF-8",
      cause: error,
    });
  }
}
