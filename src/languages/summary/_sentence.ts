/** The first paragraph: up to a blank line, a list, a code block or a rule. White space becomes single blanks. */
export function firstParagraph(text: string): string {
  const lines: string[] = [];
  const source = text.split("\n");
  const width = Math.max(...source.map((line) => line.length));
  for (const raw of source) {
    const line = raw.trim();
    if (line === "" || RULE.test(line)) {
      if (lines.length > 0) break;
      continue;
    }
    if (lines.length > 0 && (LIST_ITEM.test(line) || /^>>>|^\$ |^\|/.test(line))) break;
    // Markdown, RDoc and Go take indented lines for code.
    if (lines.length > 0 && /^(?:\t| {2,})/.test(raw) && /:$/.test(lines.at(-1)!)) break;
    if (lines.length > 0 && isNewSentence(lines.at(-1)!, line, width)) break;
    lines.push(line);
  }
  return lines.join(" ").replace(/\s+/g, " ").replace(/::$/, ":").trim();
}

/** Lines that only draw (`-----`, a fence), with or without a title between the strokes (`=== Helpers ===`). */
const RULE = /^(?:[-=~*_#+.^/]+|```.*|~~~.*|([-=~*_#+/])\1.*\1{2})$/;

/**
 * True where a line begins another sentence though no full stop ended the one before: it opens with a capital that the
 * line above had ample room for.
 */
function isNewSentence(above: string, line: string, width: number): boolean {
  const word = /^\p{Lu}\p{Ll}+(?=\s|$)/u.exec(line)?.[0];
  if (
    word === undefined ||
    /^(?:Otherwise|Else)$/.test(word) ||
    above.length + 1 + word.length > Math.max(60, width) - 12
  )
    return false;
  return !/[,;:(\-–—&+/]$|\b(?:the|an?|of|to|in|on|for|and|or|by|with|from|as|is|are|be|this|that|its?|into|if|not|no|than|per|via|new|current)$/i.test(
    above,
  );
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

/**
 * The first sentence, and the second where the two are the halves of one: `If the list is open, closes it. Otherwise
 * opens it.` The first alone would be untrue of the function.
 */
export function firstStatement(paragraph: string): string {
  const first = firstSentence(paragraph);
  if (!/^(?:if|when)\b/i.test(first)) return first;
  const rest = paragraph.slice(first.length).trimStart();
  return /^(?:otherwise|else|if not)\b/i.test(rest) ? `${first} ${firstSentence(rest)}` : first;
}

function isFullStop(before: string, after: string): boolean {
  if (before.endsWith("..") || before.endsWith(" .")) return !/^\p{Ll}/u.test(after);
  const word = /[^\s([{"'`/]*$/.exec(before)![0];
  const head = before.slice(0, before.length - word.length).trim();
  if (ALWAYS.has(word.toLowerCase())) return false;
  // `see p. 5`, but `the answer is no. Then ...`.
  if (NUMBERED.has(word.toLowerCase())) return !/^[#\d(]|^[IVX]+\b/.test(after);
  // `etc. The ...` ends, `etc. and ...` goes on.
  if (SOMETIMES.has(word.toLowerCase())) return /^\p{Lu}/u.test(after);
  if (/^\d{1,3}$/.test(word) && head === "") return false; // "1. First do this"
  if (/^\p{Lu}$/u.test(word))
    return !/^\p{Lu}\p{Ll}/u.test(after) || !/(?:^|\s)(?:\p{Lu}\.?|\p{Lu}\p{Ll}+)$/u.test(head); // "Donald E. Knuth"
  if (/^(?:\p{L}\.)+\p{L}$/u.test(word)) return /^\p{Lu}/u.test(after); // "U.S. ..."
  return true;
}

const ALWAYS: ReadonlySet<string> = new Set(
  "e.g i.e eg ie vs cf viz resp mr mrs ms dr prof st eqs approx incl excl esp aka a.k.a w.r.t wrt p.s n.b nb".split(
    " ",
  ),
);
const NUMBERED: ReadonlySet<string> = new Set(
  "fig figs eq sec sect ch chap vol ref refs no nos p pp pg par ver v rev".split(" "),
);
const SOMETIMES: ReadonlySet<string> = new Set(
  "etc al inc ltd co corp jr sr max min avg num misc ext dept est op".split(" "),
);
