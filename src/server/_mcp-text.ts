import type { JointAnswer, PlacedHit, Repository } from "./_repositories.js";

/** Characters that one token of a language model is taken to be: code has rather fewer, prose rather more. */
const TOKEN_CHARACTERS = 4;

/**
 * An answer as text for a language model: each hit's place, name and first lines, best first, within a budget of tokens
 * (counted as four characters each). Places are the last to be left out, and what is left out is told.
 */
export function answerText(answer: JointAnswer, maxTokens: number, several: boolean): string {
  const { hits, notes } = answer;
  const budget = maxTokens * TOKEN_CHARACTERS;
  const head = notes.map((note) => `(${note})\n`).join("");
  if (hits.length === 0) return `${head}nothing found`.slice(0, budget);
  const titles = hits.map((hit) => titleOf(hit, several));
  const parts: string[] = [];
  let left = budget - head.length - 40; // Room for what is told at the end.
  // What the places of the later hits need is kept for them.
  let reserved = titles.reduce((sum, title) => sum + title.length + 3, 0);
  for (const [i, hit] of hits.entries()) {
    const title = titles[i]!;
    if (title.length + 3 > left) {
      parts.push(`(${hits.length - i} more hits do not fit)`);
      break;
    }
    reserved -= title.length + 3;
    left -= title.length + 3;
    // The first hits may take more than their share.
    const share = Math.max(0, Math.min(left - reserved, (2 * (left - reserved)) / (hits.length - i)));
    const body = shortened(hit.text ?? "", share);
    left -= body.length;
    parts.push(body === "" ? title : `${title}\n${body}`);
  }
  return head + parts.join("\n\n");
}

function titleOf(hit: PlacedHit, several: boolean): string {
  const name = [...hit.scope, hit.name].join(" > ");
  const stale = hit.stale === true ? " (changed since it was indexed: lines may have moved)" : "";
  return `${several ? `${hit.repository}: ` : ""}${hit.path}:${hit.startLine}-${hit.endLine} ${hit.kind} ${name.slice(0, 200)}${stale}`;
}

/** Whole lines, and how many are left out. */
function shortened(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const lines = text.split("\n");
  const kept: string[] = [];
  let left = characters - 24;
  for (const line of lines) {
    left -= line.length + 1;
    if (left < 0) break;
    kept.push(line);
  }
  return kept.length === 0 ? "" : `${kept.join("\n")}\n… ${lines.length - kept.length} more lines`;
}

/** What an index holds, in a few lines. */
export async function statusText(repository: Repository): Promise<string> {
  const { state, progress, error } = repository.state;
  const { files, chunks, answersFrom, languages, notes, skipped } = await repository.status();
  const by = { full: "the full encoder and words", static: "the static encoder and words", lexical: "words alone" };
  const done = progress === null ? "" : `, ${progress.done} of ${progress.total ?? "?"} ${progress.unit}`;
  const most = Object.entries(languages)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 8)
    .map(([language, count]) => `${language} ${count}`);
  const passed = Object.entries(skipped).map(([reason, paths]) => `${reason} ${paths.length}`);
  return [
    `${repository.name}: ${state}${done}; ${chunks} places in ${files} files; answers come from ${by[answersFrom]}`,
    ...(most.length === 0 ? [] : [`languages: ${most.join(", ")}`]),
    ...(passed.length === 0 ? [] : [`passed over: ${passed.join(", ")}`]),
    ...(error === null ? [] : [error]),
    ...notes,
  ].join("\n");
}
