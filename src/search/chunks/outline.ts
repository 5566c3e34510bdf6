import type { Chunk, ChunkKind } from "./types.js";
import { windowChunks } from "./windows.js";

const MODIFIERS =
  "(?:(?:pub(?:\\([a-z]+\\))?|public|private|protected|internal|open|static|final|abstract|override|export|async|inline|virtual|sealed|fileprivate|mutating|default|extern|unsafe|const|local|@\\w+(?:\\([^)]*\\))?)\\s+)*";
const FUNCTIONS = new RegExp(
  `^\\s*${MODIFIERS}(?:func|fn|fun|function|def|defp|sub|proc|procedure|method|init|let rec)\\s+([\\w$.:]+)`,
);
const TYPES = new RegExp(
  `^\\s*${MODIFIERS}(?:class|struct|enum|protocol|extension|interface|trait|impl|module|type|object|record|contract|message|service|mixin|actor|namespace|package)\\s+([\\w$.:]+)`,
);
const COMMENT = /^\s*(?:\/\/|\/\*|\*|#(?!include|define|if|endif)|--|;;|@\w+)/;

/** Code of a language without a grammar: cut before each line that looks like a definition, comments going with it. */
export function outlineChunks(text: string): Chunk[] {
  const lines = text.split("\n");
  const cuts: { at: number; name: string; kind: ChunkKind; indent: number }[] = [];
  lines.forEach((line, index) => {
    const match = FUNCTIONS.exec(line);
    const type = match === null ? TYPES.exec(line) : null;
    const name = (match?.[1] ?? type?.[1])?.replace(/[.:]+$/, "");
    if (name === undefined) return;
    let at = index;
    while (at > 0 && COMMENT.test(lines[at - 1]!) && (cuts.length === 0 || at - 1 > cuts.at(-1)!.at)) at -= 1;
    const indent = line.search(/\S/);
    cuts.push({ at, name, kind: match === null ? "class" : indent > 0 ? "method" : "function", indent });
  });
  const chunks: Chunk[] = [];
  const add = (from: number, to: number, kind: ChunkKind, name?: string, scope: readonly string[] = []): void => {
    const body = lines.slice(from, to).join("\n");
    chunks.push(...windowChunks(body, { kind, firstLine: from, scope, ...(name === undefined ? {} : { name }) }));
  };
  add(0, cuts[0]?.at ?? lines.length, "module");
  const types: { name: string; indent: number }[] = [];
  cuts.forEach(({ at, name, kind, indent }, i) => {
    while (types.length > 0 && types.at(-1)!.indent >= indent) types.pop();
    add(
      at,
      cuts[i + 1]?.at ?? lines.length,
      kind,
      name,
      types.map((type) => type.name),
    );
    if (kind === "class") types.push({ name, indent });
  });
  return chunks;
}
