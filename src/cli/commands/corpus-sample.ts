import { LANGUAGES, UserError } from "../../base/index.js";
import { drawPairs, type CorpusPair } from "../../corpus/index.js";
import { loadLanguage, syntaxTokens } from "../../languages/index.js";
import { command } from "../command.js";
import { wholeNumber } from "../_arguments.js";

/** Lines of a function that are shown; the rest is counted. */
const SHOWN = 40;

export const corpusSample = command({
  name: "corpus sample",
  description: "Shows random pairs of a corpus: the summary, where it comes from, and the function",
  args: {
    folder: { type: "positional", description: "Folder of a corpus", required: true },
    lang: { type: "enum", options: [...LANGUAGES], valueHint: "NAME", description: `One of ${LANGUAGES.join(", ")}` },
    count: { type: "string", alias: "n", valueHint: "N", description: "Pairs (per language)", default: "5" },
    seed: { type: "string", valueHint: "S", description: "Another seed shows others", default: "0" },
    json: { type: "boolean", description: "Print the records as JSON Lines" },
  },
  examples: [
    { does: "20 pairs of Go", line: "lodestone corpus sample corpus --lang go -n 20" },
    { does: "For another program", line: "lodestone corpus sample corpus -n 100 --json > sample.jsonl" },
  ],
  async run(args, { signal, progress, print, colour }) {
    const count = wholeNumber(args.count, "count");
    const seed = wholeNumber(args.seed, "seed", 0);
    const lang = LANGUAGES.find((one) => one === args.lang);
    const draw = drawPairs(args.folder, { count, seed, signal, ...(lang === undefined ? {} : { languages: [lang] }) });
    let next = await draw.next();
    for (; next.done !== true; next = await draw.next()) progress(next.value);
    const pairs = [...next.value.values()].flat();
    if (pairs.length === 0) {
      throw new UserError("corpus.empty", `${args.folder}: expected pairs of ${lang ?? "any language"}, got none`, {
        fix: "Leave --lang out to see every language of the corpus",
      });
    }
    if (args.json === true) return print(pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(""));
    for (const pair of pairs) {
      await loadLanguage(pair.lang);
      await print(showPair(pair, colour));
    }
  },
});

/** A pair for reading; with colour the summary and the name stand out and comments step back. */
export function showPair(pair: CorpusPair, colour: boolean): string {
  const { lang, summary, origin, path, startLine, code, name } = pair;
  const bold = (text: string): string => (colour ? `\u001b[1m${text}\u001b[22m` : text);
  const dim = (text: string): string => (colour ? `\u001b[2m${text}\u001b[22m` : text);
  const lines = outdent(code).split("\n");
  const shown = lines.slice(0, SHOWN).join("\n");
  const marked = colour ? highlight(shown, pair.lang, name, bold, dim) : shown;
  const more = lines.length > SHOWN ? `\n    ${dim(`... ${lines.length - SHOWN} more lines`)}` : "";
  const indented = marked.replace(/\n(?=[^\n])/g, "\n    ");
  return `${bold(summary)}\n${dim(`${lang}  ${origin}  ${path}:${startLine}`)}\n\n    ${indented}${more}\n\n`;
}

/** Code whose first line has lost its indentation, with the others moved to the left as far. */
function outdent(code: string): string {
  const [first = "", ...rest] = code.split("\n");
  const indents = rest.filter((line) => line.trim() !== "").map((line) => /^[\t ]*/.exec(line)![0]);
  const least = indents.reduce((a, b) => (b.length < a.length ? b : a), indents[0] ?? "");
  // Where nothing closes the function (Python), the shallowest line is one step inside it.
  const closes = /^[\t ]*(?:\}|end\b)/.test(rest.findLast((line) => line.trim() !== "") ?? "");
  const base = closes ? least : least.slice(least.startsWith("\t") ? 1 : 4);
  return [first, ...rest.map((line) => (line.startsWith(base) ? line.slice(base.length) : line))].join("\n");
}

function highlight(
  text: string,
  lang: CorpusPair["lang"],
  name: string,
  bold: (text: string) => string,
  dim: (text: string) => string,
): string {
  const parts: string[] = [];
  let at = 0;
  let isNamed = false;
  for (const { kind, start, end } of syntaxTokens(text, lang)) {
    const token = text.slice(start, end);
    const isName: boolean = !isNamed && kind === "identifier" && token === name;
    if (!isName && kind !== "comment") continue;
    isNamed ||= isName;
    // A terminal forgets nothing at a line's end, but pagers do.
    const drawn = isName ? bold(token) : token.split("\n").map(dim).join("\n");
    parts.push(text.slice(at, start), drawn);
    at = end;
  }
  return [...parts, text.slice(at)].join("");
}
