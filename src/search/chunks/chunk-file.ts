import { fileTypeOf, loadParser, type FileType, type UserGrammars } from "./grammars.js";
import { markdownChunks } from "./markdown.js";
import { outlineChunks } from "./outline.js";
import { treeChunks } from "./tree.js";
import type { Chunk } from "./types.js";
import { windowChunks } from "./windows.js";

/**
 * Cuts a file into what is found as a whole: functions, methods, class headers, module text, sections of documentation,
 * configuration; other text into windows of lines.
 *
 * @throws UserError `search.grammar`
 */
export async function chunkFile(path: string, text: string, grammars: UserGrammars = {}): Promise<Chunk[]> {
  return chunkText(text, fileTypeOf(path, grammars));
}

/** {@link chunkFile} for a file whose type is known. */
export async function chunkText(text: string, { kind, language, grammar }: FileType): Promise<Chunk[]> {
  if (language === "markdown") return markdownChunks(text);
  if (kind !== "code") return windowChunks(text, { kind });
  const parser = grammar === undefined ? undefined : await loadParser(grammar);
  return parser === undefined ? outlineChunks(text) : treeChunks(parser, text);
}
