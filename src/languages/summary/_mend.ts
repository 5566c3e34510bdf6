import { capital } from "./_subject.js";

/** Ruby's documentation without types of rbs-inline (`#: (String) -> void`) and with the words of YARD's links. */
export function withoutRubyMarks(text: string): string {
  return text
    .replace(/^[ \t]*:[ \t]*(?=[[({?]|->).*(?:\n|$)/gm, "")
    .replace(YARD_LINK, (_, target: string, label: string | undefined) => label ?? target.replace(/^[#.]/, ""));
}

/** `{Foo::Bar}`, `{#save}`, `{Foo.find the finder}`, `{file:README.md the manual}`; no code and no templates. */
const YARD_LINK =
  /(?<![\w$#%`\\}])\{(file:[^\s{}]+|[A-Z][\w:]*(?:[#.][\w?!=]+)?|[#.][\w?!=]+)(?:\s+(?!=>|[{}:|])([^{}]+))?\}/g;

/** A sentence without a word that its author wrote twice, and without the words that only lead to a list below it. */
export function mended(sentence: string): string {
  const once = sentence.replace(/^(?!(?:set|tar|that) )([a-z]{3,}) (?=\1\s)/i, "");
  const alone = once.replace(LEAD_IN, "");
  const closed = alone === once || !/\w$/.test(alone) ? alone : `${alone}.`;
  return once === sentence ? closed : capital(closed);
}

const LEAD_IN =
  /(?:,? as follows|, (?:which (?:is|can be|may be) )?(?:one|any|either) of(?: the following(?: \w+)?)?|,? like (?:this|so)|[,.]? (?:for example|for instance|examples?))\s*:$/i;
