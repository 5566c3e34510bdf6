/** The first paragraph: up to a blank line, a list, a code block or a rule. White space becomes single blanks. */
export function firstParagraph(text: string): string {
  const lines: string[] = [];
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line === "" || /^(?:[-=~*_#+.^]{3,}|```.*|~~~.*)$/.test(line)) {
      if (lines.length > 0) break;
      continue;
    }
    if (lines.length > 0 && (LIST_ITEM.test(line) || /^>>>|^\$ |^\|/.test(line))) break;
    lines.push(line);
  }
  return lines.join(" ").replace(/\s+/g, " ").replace(/::$/, ":").trim();
}

const LIST_ITEM = /^(?:[-*+•o]|\(?\d{1,2}[.)]|\(?[a-z]\))\s+\S/;

/**
 * The first sentence of a paragraph. A full stop ends it only before a blank or the end, and not after an abbreviation,
 * an initial, a list number or an ellipsis that runs on.
 *
 * @example firstSentence("Rounds, e.g. 1.5 to 2. Ties go up.") // "Rounds, e.g. 1.5 to 2."
 */
export function firstSentence(paragraph: string): string {
  const ends = /([.!?。！？])(["'”’)\]}]*)(?=\s|$)|[。！？]/gu;
  for (const match of paragraph.matchAll(ends)) {
    const stop = match.index;
    const after = paragraph.slice(stop + match[0].length).trimStart();
    if (after === "") return paragraph;
    if (match[2] !== undefined && match[2] !== "" && /^\p{Ll}/u.test(after)) continue; // Returns "a." when empty.
    if (match[1] === "." && match[2] === "" && !isFullStop(paragraph.slice(0, stop), after)) continue;
    return paragraph.slice(0, stop + match[0].length);
  }
  return paragraph;
}

function isFullStop(before: string, after: string): boolean {
  if (before.endsWith("..") || before.endsWith(" .")) return !/^\p{Ll}/u.test(after);
  const word = /[^\s([{"'`/]*$/.exec(before)![0];
  const head = before.slice(0, before.length - word.length).trim();
  if (ALWAYS.has(word.toLowerCase())) return false;
  // `etc. The ...` ends, `etc. and ...` goes on.
  if (SOMETIMES.has(word.toLowerCase())) return /^\p{Lu}/u.test(after);
  if (/^\d{1,3}$/.test(word) && head === "") return false; // "1. First do this"
  if (/^\p{Lu}$/u.test(word))
    return !/^\p{Lu}\p{Ll}/u.test(after) || !/(?:^|\s)(?:\p{Lu}\.?|\p{Lu}\p{Ll}+)$/u.test(head); // "Donald E. Knuth"
  if (/^(?:\p{L}\.)+\p{L}$/u.test(word)) return /^\p{Lu}/u.test(after); // "U.S. ..."
  return true;
}

const ALWAYS: ReadonlySet<string> = new Set(
  "e.g i.e eg ie vs cf viz resp mr mrs ms dr prof st fig figs eq eqs sec ch vol ref refs no nos pp approx incl excl esp aka a.k.a w.r.t wrt p.s n.b nb".split(
    " ",
  ),
);
const SOMETIMES: ReadonlySet<string> = new Set(
  "etc al inc ltd co corp jr sr max min avg num misc ext dept est op".split(" "),
);
