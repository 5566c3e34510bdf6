import type { Language } from "../../base/index.js";
import { isCut } from "./_asides.js";
import { describe } from "./_description.js";
import { isEnglish, isOtherScript } from "./_english.js";
import { mended } from "./_mend.js";
import { isLicence, isNote, remarkKind } from "./_remarks.js";
import { contradicts, describesClass, withoutName, withoutNameLine, withoutTitle } from "./_subject.js";
import { firstParagraph, firstStatement } from "./_sentence.js";
import { decodeEntities, repairUnicode } from "./_unicode.js";

/** Why a docstring gives no summary. Each is counted in the corpus manifest. */
export const SUMMARY_DROPS = [
  "no-description",
  "inherited",
  "note",
  "licence",
  "templated",
  "group",
  "contradiction",
  "not-prose",
  "not-english",
  "too-short",
  "too-long",
] as const;
export type SummaryDrop = (typeof SUMMARY_DROPS)[number];

/** `returned` is there where the documentation tells of nothing but the returned value. */
export type Summary = { readonly summary: string; readonly returned?: true } | { readonly dropped: SummaryDrop };

export interface SummaryOptions {
  /** Tokens of a text, for the bounds; words and numbers by default. */
  readonly countTokens?: (text: string) => number;
  /** Default 3. */
  readonly minTokens?: number;
  /** Default 256. */
  readonly maxTokens?: number;
  /** The function's name: a summary that opens with it loses it (`Area returns ...` becomes `Returns ...`). */
  readonly name?: string;
}

/**
 * The summary of a docstring: its first sentence, without URLs, HTML and doc tags, entities decoded
 * and mojibake repaired; dropped where it is not English, under 3 or over 256 tokens, or no description at all.
 *
 * @example
 * summarise("Rounds, e.g. 1.5 to 2. Ties go up.\n\n:param x: number", "python"); // { summary: "Rounds, e.g. 1.5 to 2." }
 * summarise("{@inheritDoc}", "java");                                            // { dropped: "inherited" }
 */
export function summarise(docstring: string, language: Language, options: SummaryOptions = {}): Summary {
  // No first sentence is longer; what follows in a huge comment cannot matter.
  const description = describe(repairUnicode(docstring.slice(0, LONGEST)), language);
  if ("dropped" in description) return description;
  const paragraph = withoutTitle(
    firstParagraph(withoutNameLine(stripMarks(description.text), options.name)),
    options.name,
  );
  if (isLicence(paragraph)) return { dropped: "licence" };
  if (isNote(paragraph)) return { dropped: "note" };
  const first = firstStatement(paragraph);
  const sentence = mended(withoutName(tidy(first), options.name, language));
  if (sentence === "") return { dropped: "no-description" };
  if (isOtherScript(sentence)) return { dropped: "not-english" };
  const remark = remarkKind(sentence);
  if (remark !== undefined) return { dropped: remark };
  if (options.name !== undefined && contradicts(sentence, options.name)) return { dropped: "contradiction" };
  if (options.name !== undefined && describesClass(sentence, options.name, language)) return { dropped: "group" };
  if (GRAMMAR.test(first) || /^.{0,60}\s[-=]+>\s.{0,40}$/.test(first) || isCut(sentence) || !isProse(sentence))
    return { dropped: "not-prose" };
  const tokens = (options.countTokens ?? countWords)(sentence);
  if (tokens < (options.minTokens ?? 3)) return { dropped: "too-short" };
  if (tokens > (options.maxTokens ?? 256)) return { dropped: "too-long" };
  if (!isEnglish(sentence)) return { dropped: "not-english" };
  return description.returned === true ? { summary: sentence, returned: true } : { summary: sentence };
}

const LONGEST = 10_000;

/** Words and numbers of a text. */
export function countWords(text: string): number {
  return text.match(/[\p{L}\p{N}]+/gu)?.length ?? 0;
}

/** HTML to text: block elements separate paragraphs, the rest goes; then entities; then URLs. */
function stripMarks(text: string): string {
  const plain = text
    .replace(/<!--[^]*?-->/g, " ")
    // A link's text may run over a line: the part after it begins no sentence.
    .replace(/<a\b[^<>]*>[^<>]*<\/a>/gi, (link) => link.replace(/\s+/g, " "))
    .replace(/<\/?(?:p|br|div|ul|ol|li|dl|dt|dd|pre|table|tr|td|th|h[1-6]|hr|blockquote|section)\b[^<>]*>/gi, "\n\n")
    .replace(
      /<\/?(?:a|abbr|b|i|u|s|em|strong|code|tt|kbd|samp|var|span|small|big|sub|sup|font|center|img|cite|q|del|ins|mark|nobr|c|see|para|paramref)\b[^<>]*>/gi,
      "",
    );
  return decodeEntities(plain)
    .replace(
      /(?:[,;(]?\s*\b(?:see|see also|cf\.?|at|from|via|refer to):?\s+)?<?\b(?:https?|ftp|file):\/\/[^\s<>"'`)\]}]+[^\s<>"'`)\]}.,;:!?]>?/gi,
      "",
    )
    .replace(/\bwww\.[^\s<>"'`)\]}]+/gi, "");
}

/** Blanks and punctuation that the removals left behind. */
function tidy(sentence: string): string {
  return sentence
    .replace(/\[TOC\]|(?<![\w>)\]#.])(?:\(\s*(?:see|cf\.?|from|at)?:?\s*\)|\[\s*\])|<\s*>/gi, "")
    .replace(/`/g, "")
    .replace(/(?<![*\w])\*{1,2}(?=\S)([^*\n]+?)(?<=\S)\*{1,2}(?![*\w])/g, "$1")
    .replace(/^(?:[-*+>•:;,|!@]+\s+)+|^[*#|]+/, "")
    .replace(/(?<=\w) (?:(?:NOTE|TODO|FIXME|WARNING|XXX|HACK)\b|(?:Returns?|Args|Parameters|Raises|Example): ).*$/, "")
    .replace(/\s+([,.;:!?)])(?=\s|$)/g, "$1")
    .replace(/\s+/g, " ")
    .trim();
}

/** A production of a grammar, as parser generators keep in docstrings: `expr : expr PLUS term | term`. */
const GRAMMAR =
  /::=|^\S+ (?:[<>=!]=|=|<|>|\+|\*|\|\|?|&&) \S|^\w+ = \S|^[\w.]+(?:\([^)]*\))? -> |^\w+ *(?:::?=|->|:) *\S+(?: +\S+)* *\||^[a-z_]\w* : [A-Za-z_]\w*(?: [A-Za-z_]\w*)* ?$/;

/** Mostly words: not commented-out code, a rule of dashes, a grammar production or a table. */
function isProse(sentence: string): boolean {
  const visible = sentence.replace(/\s/g, "");
  const letters = visible.match(/\p{L}/gu)?.length ?? 0;
  if (letters < 0.5 * visible.length) return false;
  if (
    /[;{}]$|^(?:if|for|while|var|let|const|return|function|def|public|private|static|int|void|#?include|import)\b.*[;{(=]|^\w+(?:\.\w+)*\([^)]*\)[;.]?$|\);|=> ?[{(]/.test(
      sentence,
    )
  )
    return false;
  return (sentence.match(/\p{L}{2,}/gu)?.length ?? 0) >= 2;
}
