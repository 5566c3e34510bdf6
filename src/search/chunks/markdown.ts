import type { Chunk } from "./types.js";
import { windowChunks } from "./windows.js";

/** The sections of a Markdown text: a title with what stands under it up to the next title; long ones in windows. */
export function markdownChunks(text: string): Chunk[] {
  const lines = text.split("\n");
  const chunks: Chunk[] = [];
  const titles: { level: number; title: string }[] = [];
  let from = 0;
  let fence: string | undefined;
  const close = (to: number): void => {
    const scope = titles.slice(0, -1).map(({ title }) => title);
    const name = titles.at(-1)?.title;
    chunks.push(
      ...windowChunks(lines.slice(from, to).join("\n"), {
        kind: "doc",
        firstLine: from,
        scope,
        ...(name === undefined ? {} : { name }),
      }),
    );
    from = to;
  };
  lines.forEach((line, at) => {
    const mark = /^\s{0,3}(```+|~~~+)/.exec(line)?.[1];
    if (mark !== undefined) fence = fence === undefined ? mark : mark.startsWith(fence) ? undefined : fence;
    const heading = fence === undefined ? headingAt(lines, at) : undefined;
    if (heading === undefined) return;
    close(at);
    while (titles.length > 0 && titles.at(-1)!.level >= heading.level) titles.pop();
    titles.push(heading);
  });
  close(lines.length);
  return chunks;
}

function headingAt(lines: readonly string[], at: number): { level: number; title: string } | undefined {
  const marked = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/.exec(lines[at]!);
  if (marked !== null) return { level: marked[1]!.length, title: marked[2]! };
  const below = lines[at + 1];
  if (below === undefined || lines[at]!.trim() === "" || (at > 0 && lines[at - 1]!.trim() !== "")) return undefined;
  if (/^={3,}\s*$/.test(below)) return { level: 1, title: lines[at]!.trim() };
  return /^-{3,}\s*$/.test(below) ? { level: 2, title: lines[at]!.trim() } : undefined;
}
